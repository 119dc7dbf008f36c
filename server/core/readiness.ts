/** When a task can be claimed, in which order, and when time alone will change it. */
import type { Priority } from "../../shared/message.ts";
import type { LeasePolicy, MessageState } from "./message.ts";

/**
 * How many milliseconds earlier than it came a task counts as having come. Claims go by `created_at` minus
 * this head start, so a waiting task rises with age and no priority starves another for longer than that.
 */
const HEAD_START_MS: Record<Priority, number> = {
  low: -10 * 60_000,
  normal: 0,
  high: 10 * 60_000,
  urgent: 60 * 60_000,
};

/** The place of a claimable task among the others of its recipient; lower goes first. */
export const claimRank = (state: Pick<MessageState, "created_at" | "priority">): number =>
  state.created_at - HEAD_START_MS[state.priority ?? "normal"];

/** A pending message as it waits: claimable now, or from `not_before` on; a chat waits for its reader only. */
export function waiting(state: MessageState, now: number): MessageState {
  const isTask = state.type === "task";
  const isDue = state.not_before === null || state.not_before <= now;
  return {
    ...state,
    status: "pending",
    result: null,
    error: null,
    lease_until: null,
    timeout_at: null,
    claim_rank: isTask && isDue && state.blocked === 0 ? claimRank(state) : null,
    wake_at: earliest(isTask && !isDue ? state.not_before : null, state.expires_at),
  };
}

/** As it waits when its time has come before; a clock that was put back since does not change that. */
export const claimable = (state: MessageState): MessageState => waiting(state, Number.POSITIVE_INFINITY);

/** The next moment at which time alone changes a claimed task: its lease or its time-out runs out. */
export const heldWakeAt = (state: MessageState): number | null => earliest(state.lease_until, state.timeout_at);

/** Whether a deadline of it measures time: of those that are held, and those that rest after a try. */
export function isTimed(state: MessageState): boolean {
  if (state.status === "in_progress") return (state.lease_until ?? state.extended_until ?? state.timeout_at) !== null;
  const waits = state.status === "pending" && state.claim_rank === null && state.blocked === 0;
  return waits && state.attempt > 0 && state.not_before !== null;
}

/** A held task, or one that rests, once its clock has moved by so much beside the passing of time. */
export function onMovedClock(state: MessageState, by: number): MessageState {
  const moved = (at: number | null) => (at === null ? null : at + by);
  if (state.status === "pending") {
    const not_before = moved(state.not_before);
    return { ...state, not_before, wake_at: earliest(not_before, state.expires_at) };
  }
  const held = {
    ...state,
    lease_until: moved(state.lease_until),
    extended_until: moved(state.extended_until),
    timeout_at: moved(state.timeout_at),
  };
  return { ...held, wake_at: heldWakeAt(held) };
}

export const earliest = (a: number | null, b: number | null) => (a === null ? b : b === null ? a : Math.min(a, b));

/**
 * How long a task rests before its next try: doubling from `backoff_ms`, capped, and spread over the upper
 * half so that tasks that failed together do not come back together.
 */
export function backoff(state: MessageState, policy: LeasePolicy, random: () => number): number {
  const failedTries = Math.max(1, state.max_attempts - state.tries_left);
  const full = Math.min(policy.backoffMaxMs, state.backoff_ms * 2 ** Math.min(failedTries - 1, 30));
  return Math.round(full * (0.5 + random() / 2));
}
