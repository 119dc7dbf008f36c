/**
 * Who holds a task.
 *
 * A holder is a run of an instance, not its name: a restarted worker is another run. A claim without a run is
 * detached, held by name and attempt. A caller without a name acts for the recipient, as the document allows.
 */

import { EVERYONE } from "../../shared/addressing.ts";
import { HubError } from "../../shared/errors.ts";
import type { Caller, MessageState } from "./message.ts";

/** The name under which a caller acts on a message. */
export const actingName = (state: MessageState, caller: Caller) => caller.claude_id ?? state.to_claude;

/** Of a task for a pool, anyone may be; of a chat to everyone, nobody is: each instance has a receipt instead. */
export const isRecipient = ({ to_claude }: MessageState, actor: string) =>
  to_claude.startsWith("@") || (actor === to_claude && actor !== EVERYONE);

/** Whether the caller made the last claim, whatever has become of it since. */
export function isLastHolder(state: MessageState, caller: Caller): boolean {
  if (state.claimed_by !== actingName(state, caller)) return false;
  return state.claimed_run === null || state.claimed_run === caller.run;
}

/**
 * Asserts that the caller holds the present attempt.
 *
 * @param otherwise what somebody can do who has not said that it ever held the task.
 * @throws HubError `lease_lost`, or `invalid_params` when a run leaves out its attempt.
 */
export function assertHolds(state: MessageState, attempt: number | undefined, caller: Caller, otherwise = ""): void {
  if (attempt !== undefined && attempt !== state.attempt) {
    const is = attempt < state.attempt ? "is over" : "has not begun";
    throw leaseLost(state, `no longer yours: attempt ${attempt} ${is}; the present one is ${state.attempt}`);
  }
  if (!isLastHolder(state, caller)) {
    const holder = state.status === "in_progress" ? state.claimed_by : "nobody";
    if (attempt === undefined) throw leaseLost(state, `not yours: ${holder} holds it${otherwise}`);
    throw leaseLost(state, `no longer yours: ${holder} holds it`);
  }
  if (attempt === undefined && state.claimed_run !== null) {
    throw new HubError("invalid_params", "Missing field: attempt (the number that your claim gave)", {
      field: "attempt",
    });
  }
}

const leaseLost = (state: MessageState, whose: string) =>
  new HubError("lease_lost", `Task is ${whose}`, {
    id: state.id,
    status: state.status,
    attempt: state.attempt,
    claimed_by: state.claimed_by,
  });
