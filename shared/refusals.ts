/** Refusals that several places give in the same words. */
import { HubError } from "./errors.ts";
import { didYouMean } from "./suggest.ts";

export const noMessage = (id: string) => new HubError("not_found", "Message not found", { id });

export const noChain = (chain_id: string) =>
  new HubError("not_found", "No message belongs to this chain", { chain_id });

/** @param known the existing names, of which the nearest is suggested. */
export const noTemplate = (name: string, known: readonly string[]) =>
  new HubError("not_found", `There is no template ${name}${didYouMean(name, known)}`, { template: name });

/** @param known as for a template. */
export const noSchedule = (name: string, known: readonly string[]) =>
  new HubError("not_found", `There is no schedule of the name ${name}${didYouMean(name, known)}`, { name });

export const keyUsed = (id: string) =>
  new HubError("idempotency_conflict", "This idempotency key was used for another message", { id });

/** @param reason why the log cannot be resumed, with whatever helps to go on elsewhere. */
export const cursorLost = (details: { reason: string; cursor?: string; floor?: number }) =>
  new HubError(
    "cursor_lost",
    `The log does not go on from this cursor (${details.reason}): read the state again`,
    details,
  );

export const shuttingDown = () => new HubError("shutting_down", "The hub is restarting: reconnect in a moment");

export const missingField = (field: string) => new HubError("invalid_params", `Missing field: ${field}`, { field });

/** What callers are told of a failure that they did not cause. */
export const asHubError = (error: unknown): HubError =>
  error instanceof HubError ? error : new HubError("internal", "The hub failed to answer; it has logged why");
