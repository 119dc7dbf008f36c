/** What becomes of a task that waits for others when one of them is over. */
import { type Decision, silently } from "./decision.ts";
import { failed, unheld } from "./endings.ts";
import type { Circumstances, MessageState } from "./message.ts";
import { waiting } from "./readiness.ts";

/** One of those it waits for is complete: the last one makes it claimable, unless it is for later. */
export function unblocked(state: MessageState, now: number): Decision {
  const next = waiting({ ...state, blocked: state.blocked - 1 }, now);
  return next.claim_rank === null ? silently(next) : { next, events: [{ kind: "ready", actor: null }] };
}

/** One of those it waits for has failed for good, or is gone. */
export function failedByDependency(state: MessageState, by: string, c: Circumstances): Decision {
  return failed(unheld(state), "dependency", { error: `${by}, which it waits for, did not complete` }, c, null);
}
