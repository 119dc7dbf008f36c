/** One call, from when it is made until it is answered, and what follows from its operation. */
import { isRefusal, OPERATIONS } from "../../../shared/index.ts";
import type { Request, Transport } from "../connection/transports/transport.ts";

/** What is done with an answer that nobody waits for any more. */
export type OnLate = (result: unknown) => void;

export interface Call extends Request {
  readonly timeoutMs: number;
  readonly deadline: number;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
  readonly onLate: OnLate | undefined;
  /** Whether it lets the hub wait for something to happen. */
  readonly waits: boolean;
  /** The line it is in flight on. */
  via: Transport | undefined;
  /** Whether it was in flight on a line that was lost: the hub may have carried it out. */
  mayBeDone: boolean;
  repeated: boolean;
  /** Whether nobody waits for its answer any more, although it may still come. */
  abandoned: boolean;
  /** Unbinds it from its signal. */
  unbind: (() => void) | undefined;
}

export const isOnce = ({ operation }: Request) => OPERATIONS[operation].repeat === "once";

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
