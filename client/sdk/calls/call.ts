/** One call, from when it is made until it is answered, and what follows from its operation. */
import { isRefusal, OPERATIONS, type OperationName } from "../../../shared/index.ts";
import type { Request, Transport } from "../connection/transports/transport.ts";
import { isMadeHere } from "./ids.ts";

/** Told of a claim whose caller was told that it failed: what the hub says to it. */
export type OnLate = (claimed: unknown) => void;

export interface Call extends Request {
  params: object;
  readonly timeoutMs: number;
  deadline: number;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: unknown) => void;
  /** Whether it lets the hub wait for something to happen. */
  readonly waits: boolean;
  /** The line it is in flight on. */
  via: Transport | undefined;
  /** Whether it was in flight on a line that was lost: the hub may have carried it out. */
  mayBeDone: boolean;
  repeated: boolean;
  /** Whether its answer may come, or not: it keeps no process alive, and is not repeated. */
  abandoned: boolean;
  /** Whether it is repeated until it is answered, however often that takes. */
  persists: boolean;
  /** Unbinds it from its signal. */
  unbind: (() => void) | undefined;
}

/** What a call is made of. */
export type Asked = Pick<Call, "operation" | "params" | "timeoutMs" | "resolve" | "reject">;

export const newCall = (id: number, now: number, { operation, params, timeoutMs, resolve, reject }: Asked): Call => ({
  id,
  operation,
  params,
  timeoutMs,
  deadline: now + timeoutMs,
  resolve,
  reject,
  waits: "wait_ms" in params && params.wait_ms !== undefined,
  via: undefined,
  mayBeDone: false,
  repeated: false,
  abandoned: false,
  persists: false,
  unbind: undefined,
});

export const isOnce = ({ operation }: Request) => OPERATIONS[operation].repeat === "once";

/** Whether it gives the caller a task. */
export const isClaim = (operation: OperationName, params: { status?: unknown }) =>
  operation === "claim" || operation === "claim_next" || (operation === "update" && params.status === "in_progress");

/** The key of a claim that only this program can repeat; undefined for any other call. */
export function claimKeyMadeHere({ operation, params }: Request): string | undefined {
  const { claim_key: key } = params as { claim_key?: string };
  return key !== undefined && isClaim(operation, params) && isMadeHere(key) ? key : undefined;
}

/** Whether another open call asks with the same key: it is answered the same, and knows better what to do with it. */
export function isAskedElsewhere(call: Call, open: Iterable<Call>): boolean {
  const key = claimKeyMadeHere(call);
  if (key === undefined) return false;
  for (const other of open) if (other !== call && claimKeyMadeHere(other) === key) return true;
  return false;
}

/**
 * The answer to a call that may have been carried out, out of the refusal of its repeat: what a delete does not find any
 * more, it has deleted the first time.
 *
 * @returns undefined when the refusal means something else.
 */
export function lostAnswer({ operation, params }: Request, refusal: unknown): object | undefined {
  const isDelete = OPERATIONS[operation].rest.method === "DELETE";
  return isDelete && isRefusal(refusal, "not_found") ? { ...params, deleted: true } : undefined;
}
