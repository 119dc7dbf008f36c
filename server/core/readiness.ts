/** When a task can be claimed, in which order, and how long it rests between two tries. */
import type { Priority } from "../../shared/message.ts";
import { earliest } from "./deadlines.ts";
import type { LeasePolicy, MessageState } from "./message.ts";

/**
 * The head start of each priority. Claims go by `created_at` minus the head start, so a waiting task rises with age
 * and no priority starves another for longer than that.
 */
const HEAD_START_MS: Record<Priority, number> = {
  low: -10 * 60_000,
  normal: 0,
  high: 10 * 60_000,
  urgent: 60 * 60_000,
};

/** The rank of a claimable task among the others of its recipient; lower goes first. */
export const claimRank = (state: Pick<MessageState, "created_at" | "priority">): number =>
  state.created_at - HEAD_START_MS[state.priority ?? "normal"];

/** A pending message as it waits: claimable now, or from `not_before` on; a chat waits for its reader only. */
export function waiting(state: MessageState, now: number): MessageState {
  const isDue = state.not_before === null || state.not_before <= now;
  return {
    ...state,
    status: "pending",
    result: null,
    error: null,
    lease_until: null,
    timeout_at: null,
    claim_rank: state.type === "task" && isDue && state.blocked === 0 ? claimRank(state) : null,
    wake_at: earliest(isDue ? null : state.not_before, state.expires_at),
  };
}

/** Whether a message waits for nothing but its recipient: a chat that is pending, or a task that can be claimed. */
export const isReady = ({ status, type, claim_rank }: Pick<MessageState, "status" | "type" | "claim_rank">): boolean =>
  status === "pending" && (type === "chat" || claim_rank !== null);

/** As it waits once its `not_before` has passed, even if the clock was put back since. */
export const claimable = (state: MessageState): MessageState => waiting(state, Number.POSITIVE_INFINITY);

/**
 * How long a task rests before its next try: doubling from `backoff_ms`, capped, and spread over the upper
 * half so that tasks that failed together do not come back together.
 */
export function backoff(state: MessageState, policy: LeasePolicy, random: () => number): number {
  const failedTries = Math.max(1, state.max_attempts - state.tries_left);
  const full = Math.min(policy.backoffMaxMs, state.backoff_ms * 2 ** Math.min(failedTries - 1, 30));
  return Math.round(full * (0.5 + random() / 2));
}
