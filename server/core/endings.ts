/** How an attempt ends, and how a task ends. */
import type { Failure } from "../../shared/message.ts";
import type { Decision, EventDraft } from "./decision.ts";
import type { Circumstances, MessageState } from "./message.ts";
import { backoff, claimable, waiting } from "./readiness.ts";

/** Back to waiting: claimable after a rest, or at once when there is none. */
export function requeued(state: MessageState, c: Circumstances, actor: string | null, error?: string): Decision {
  const rest = backoff(state, c.lease, c.random);
  const next = rest > 0 ? waiting({ ...state, not_before: c.now + rest }, c.now) : claimable(state);
  return backToWaiting(next, { kind: "requeued", actor, ...(error !== undefined && { error }) });
}

/** The given event, and `ready` when the task is claimable at once. */
export const backToWaiting = (next: MessageState, told: EventDraft): Decision => ({
  next,
  events: next.claim_rank === null ? [told] : [told, { kind: "ready", actor: null }],
});

/** The outcome that ends a message. */
interface Said {
  readonly result?: string | undefined;
  readonly error?: string | undefined;
}

/** Whether the message ended with the same outcome. */
export const saysTheSame = (state: MessageState, { result, error }: Said): boolean =>
  (result ?? null) === state.result && (error ?? null) === state.error;

/** Ends a task without success. */
export function failed(
  state: MessageState,
  failure: Failure,
  said: Said,
  c: Circumstances,
  actor: string | null,
): Decision {
  const next: MessageState = {
    ...ended(state, c.now),
    status: "failed",
    failure,
    result: said.result ?? null,
    error: said.error ?? null,
  };
  return { next, events: [{ kind: failure === "cancelled" ? "cancelled" : "failed", actor }] };
}

/** Clears the last holder, who had no part in how the task ended. */
export const unheld = (state: MessageState): MessageState => ({
  ...state,
  claimed_by: null,
  claimed_run: null,
  claim_key: null,
  claimed_at: null,
});

/** The message without deadlines, ended now and claimable by nobody. */
export const ended = (state: MessageState, now: number): MessageState => ({
  ...state,
  completed_at: now,
  lease_until: null,
  timeout_at: null,
  extended_until: null,
  claim_rank: null,
  wake_at: null,
});
