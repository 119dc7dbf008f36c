/**
 * How a process that has neither run nor attempt ends messages: what it claimed itself, under that claim's number; what
 * it was refused and another holds, not at all.
 */
import {
  HubError,
  isRefusal,
  LIMITS,
  type Message,
  type OperationName,
  type Params,
  type Result,
} from "../../shared/index.ts";
import { bounded } from "../sdk/boundedText.ts";
import type { OwnClaims } from "./ownClaims.ts";

/** @param as the name to act under; left out, this instance's. */
type Call = <N extends OperationName>(operation: N, params: Params<N>, as?: string) => Promise<Result<N>>;

type Said = Params<"update">;

/** @throws HubError `lease_lost` when another holds what this process was refused; what the hub refuses. */
export async function complete(claims: OwnClaims, call: Call, said: Said): Promise<Message> {
  if (claims.wasDenied(said.id)) assertFree(await call("get", { id: said.id }));
  return end(claims, call, said).catch(leadOn);
}

/**
 * @param reason what went wrong.
 * @returns the message as it is, where this process was refused the task or has lost it.
 */
export async function fail(claims: OwnClaims, call: Call, id: string, reason: string | undefined): Promise<Message> {
  if (claims.wasRefused(id)) return call("get", { id });
  const held = claims.held(id);
  const said: Said = { id, status: "failed", ...failureOf(reason) };
  try {
    return await end(claims, call, said);
  } catch (error) {
    if (!isRefusal(error, "lease_lost", "wrong_status")) throw error;
    const message = await call("get", { id });
    const isAsSaid = message.status === said.status && message.error === said.error;
    if (!held && !isAsSaid) throw error;
    claims.over(id);
    return message;
  }
}

async function end(claims: OwnClaims, call: Call, said: Said): Promise<Message> {
  const held = claims.held(said.id);
  const ended = await call("update", { ...said, attempt: held?.attempt }, held?.claimed_by);
  claims.over(said.id);
  return ended;
}

/** The hub says what is not possible; this adds what to do first, in terms of these functions. */
function leadOn(error: unknown): never {
  const isUnclaimed = isRefusal(error, "wrong_status") && error.details?.status === "pending";
  if (!isUnclaimed) throw error;
  throw new HubError(error.code, `${error.message}; nobody holds it: claimTask takes it`, error.details);
}

/** Keeps whoever was refused a claim from ending what another holds. A chat has no holder. */
function assertFree({ id, type, status, attempt, claimed_by }: Message): void {
  if (type !== "task" || status !== "in_progress") return;
  const why = `this process was refused its claim, and another that acts for ${claimed_by} holds it`;
  throw new HubError("lease_lost", `Task is not yours: ${why}`, { id, status, attempt, claimed_by });
}

/**
 * What went wrong, as the fields of an update. The output of a command that failed may be longer than an error can be:
 * then it is the result, in full where that fits, and its beginning is the error.
 */
function failureOf(text: string | undefined): { error?: string | undefined; result?: string } {
  if (typeof text !== "string") return { error: text };
  const [error, result] = [bounded(text, LIMITS.error_bytes), bounded(text, LIMITS.result_bytes)];
  return error === result ? { error } : { error, result };
}
