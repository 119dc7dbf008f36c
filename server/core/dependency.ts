/** What becomes of a waiting task when one of those it depends on is over. */
import { type Decision, silently } from "./decision.ts";
import { failed, unheld } from "./endings.ts";
import type { Circumstances, MessageState } from "./message.ts";
import { waiting } from "./readiness.ts";

/** A dependency is complete: the last one makes the task claimable, unless its `not_before` is still to come. */
export function unblocked(state: MessageState, now: number): Decision {
  const next = waiting({ ...state, blocked: state.blocked - 1 }, now);
  return next.claim_rank === null ? silently(next) : { next, events: [{ kind: "ready", actor: null }] };
}

/** A dependency has failed for good, or is gone. */
export function failedByDependency(state: MessageState, by: string, c: Circumstances): Decision {
  return failed(unheld(state), "dependency", { error: `${by}, which it waits for, did not complete` }, c, null);
}
