/** How long a claim is safe, when time alone will change a message, and how both move with the clock. */
import type { Circumstances, MessageState } from "./message.ts";

/**
 * The lease of a new claim: kept by a connected run (null), or until a time. A run without a name cannot be tracked, so
 * its claim lasts as long as a detached one.
 */
export function leaseUntil({ caller, now, lease }: Circumstances): number | null {
  if (caller.run === null || caller.claude_id === null) return now + lease.detachedMs;
  return caller.attached ? null : now + lease.graceMs;
}

/** Moves a held task's lease, silently: null while its run is connected. */
export function withLease(state: MessageState, until: number | null): MessageState {
  const lease_until = until === null ? null : Math.max(until, state.extended_until ?? 0);
  const moved = { ...state, lease_until };
  return { ...moved, wake_at: heldWakeAt(moved) };
}

/** The next moment at which time alone changes a claimed task: its lease or its time-out runs out. */
export const heldWakeAt = (state: MessageState): number | null => earliest(state.lease_until, state.timeout_at);

/** Whether it has a deadline that measures elapsed time: it is held, or backing off after an attempt. */
export function isTimed(state: MessageState): boolean {
  if (state.status === "in_progress") return (state.lease_until ?? state.extended_until ?? state.timeout_at) !== null;
  const waits = state.status === "pending" && state.claim_rank === null && state.blocked === 0;
  return waits && state.attempt > 0 && state.not_before !== null;
}

/** The task with its elapsed-time deadlines shifted by `by` ms, after the wall clock jumped that far. */
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
