/**
 * The life of a task. The table below is the implementation: one cell for every status and operation, and
 * the compiler demands each.
 *
 * Invariants: `attempt` only rises. At most one holder per attempt; at most one accepted completion. A refused
 * operation changes nothing. Between a lease's end and the next claim the last holder may still end the task:
 * its attempt is the present one.
 */
import { HubError } from "../../shared/errors.ts";
import type { Status } from "../../shared/message.ts";
import type { CommandOf, Transition } from "./commands.ts";
import { heldWakeAt, leaseUntil } from "./deadlines.ts";
import { type Decision, type EventDraft, silently, unchanged } from "./decision.ts";
import { backToWaiting, ended, failed, requeued, saysTheSame, unheld } from "./endings.ts";
import { actingName, assertHolds, isLastHolder } from "./holder.ts";
import type { Circumstances, MessageState } from "./message.ts";
import { claimable, waiting } from "./readiness.ts";

type Cell<Op extends Transition["op"]> = (state: MessageState, command: CommandOf<Op>, c: Circumstances) => Decision;

const TABLE: { readonly [S in Status]: { readonly [Op in Transition["op"]]: Cell<Op> } } = {
  pending: {
    claim,
    complete: completePending,
    fail: failPending,
    release: refuse,
    cancel,
    retry: refuse,
    extend: refuse,
    progress: refuse,
    wake: wakePending,
  },
  in_progress: {
    claim: claimAgain,
    complete: completeHeld,
    fail: failHeld,
    release: releaseHeld,
    cancel,
    retry: refuse,
    extend,
    progress,
    wake: wakeHeld,
  },
  complete: {
    claim: refuse,
    complete: endAgain,
    fail: refuse,
    release: refuse,
    cancel: refuse,
    retry: refuse,
    extend: refuse,
    progress: refuse,
    wake: unchanged,
  },
  failed: {
    claim: refuse,
    complete: refuse,
    fail: endAgain,
    release: refuse,
    cancel: cancelAgain,
    retry,
    extend: refuse,
    progress: refuse,
    wake: unchanged,
  },
};

/** Decides what one command makes of one task. */
export function decideTask(state: MessageState, command: Transition, c: Circumstances): Decision {
  const cell = TABLE[state.status][command.op] as Cell<Transition["op"]>;
  return cell(state, command, c);
}

/** Refuses, naming the present status. */
function refuse(state: MessageState, command: Transition): never {
  throw new HubError("wrong_status", `Task is ${state.status}: ${command.op} is not possible`, {
    id: state.id,
    status: state.status,
    attempt: state.attempt,
    ...(state.claimed_by && state.status !== "pending" && { claimed_by: state.claimed_by }),
  });
}

function claim(state: MessageState, command: CommandOf<"claim">, c: Circumstances): Decision {
  if (state.claim_rank === null) throw notReady(state, c.now);
  const actor = actingName(state, c.caller);
  const held: MessageState = {
    ...state,
    status: "in_progress",
    attempt: state.attempt + 1,
    tries_left: state.tries_left - 1,
    claimed_by: actor,
    claimed_run: c.caller.run,
    claim_key: command.claim_key ?? null,
    claimed_at: c.now,
    lease_until: leaseUntil(c),
    timeout_at: state.timeout_ms === null ? null : c.now + state.timeout_ms,
    extended_until: null,
    progress: null,
    result: command.result ?? null,
    error: command.error ?? null,
    delivered_at: state.delivered_at ?? c.now,
    claim_rank: null,
  };
  return { next: { ...held, wake_at: heldWakeAt(held) }, events: [{ kind: "claimed", actor }] };
}

function notReady({ id, status, blocked, after, not_before }: MessageState, now: number): HubError {
  if (blocked > 0) {
    const waits = { id, status, waits_for: after };
    return new HubError("not_ready", `Task waits for ${blocked} of ${after?.length} others to be complete`, waits);
  }
  const from = new Date(not_before ?? now).toISOString();
  return new HubError("not_ready", `Task is not ready before ${from}`, { id, status, not_before: from });
}

/** A claim whose answer was lost is repeated with its key, and gets the same answer. */
function claimAgain(state: MessageState, command: CommandOf<"claim">, c: Circumstances): Decision {
  const hasItsKey = command.claim_key !== undefined && command.claim_key === state.claim_key;
  const isSame = hasItsKey && saysTheSame(state, command);
  return isSame && isLastHolder(state, c.caller) ? unchanged(state) : refuse(state, command);
}

function completePending(state: MessageState, command: CommandOf<"complete">, c: Circumstances): Decision {
  if (command.attempt !== undefined) return completeHeld(state, command, c);
  if (actingName(state, c.caller) !== state.to_claude) return refuse(state, command);
  const claimed: MessageState = {
    ...state,
    attempt: state.attempt + 1,
    tries_left: state.tries_left - 1,
    claimed_by: state.to_claude,
    claimed_run: c.caller.run,
    claimed_at: c.now,
    delivered_at: state.delivered_at ?? c.now,
  };
  return completed(claimed, command, c);
}

function completeHeld(state: MessageState, command: CommandOf<"complete">, c: Circumstances): Decision {
  assertHolds(state, command.attempt, c.caller);
  return completed(state, command, c);
}

function completed(state: MessageState, command: CommandOf<"complete">, c: Circumstances): Decision {
  const next: MessageState = {
    ...ended(state, c.now),
    status: "complete",
    result: command.result ?? null,
    error: command.error ?? null,
  };
  return { next, events: [{ kind: "completed", actor: actingName(state, c.caller) }] };
}

/** The identical outcome is answered as before; a different one is refused. */
function endAgain(state: MessageState, command: CommandOf<"complete" | "fail">, c: Circumstances): Decision {
  if (command.attempt !== undefined && command.attempt !== state.attempt) assertHolds(state, command.attempt, c.caller);
  const isRepeat = saysTheSame(state, command) && isLastHolder(state, c.caller);
  return isRepeat ? unchanged(state) : refuse(state, command);
}

function failPending(state: MessageState, command: CommandOf<"fail">, c: Circumstances): Decision {
  if (command.retryable) return failAgain(state, command, c);
  if (command.attempt === undefined) return failed(unheld(state), "error", command, c, actingName(state, c.caller));
  return failHeld(state, command, c);
}

/** It waits for its next try already. What ended the last one may be said again: see isSaidAgain. */
function failAgain(state: MessageState, command: CommandOf<"fail">, c: Circumstances): never {
  if (command.attempt !== undefined) assertHolds(state, command.attempt, c.caller);
  return refuse(state, command);
}

function failHeld(state: MessageState, command: CommandOf<"fail">, c: Circumstances): Decision {
  assertHolds(state, command.attempt, c.caller, "; `cancel` or `delete` ends it all the same");
  const actor = actingName(state, c.caller);
  if (!command.retryable) return failed(state, "error", command, c, actor);
  if (state.tries_left === 0) return failed(state, "attempts_exhausted", command, c, actor);
  return requeued(state, c, actor, command.error);
}

function releaseHeld(state: MessageState, command: CommandOf<"release">, c: Circumstances): Decision {
  assertHolds(state, command.attempt, c.caller);
  const { reason, rest_ms = 0 } = command;
  const untried = { ...state, tries_left: state.tries_left + 1 };
  const next = rest_ms > 0 ? waiting({ ...untried, not_before: c.now + rest_ms }, c.now) : claimable(untried);
  const told: EventDraft = { kind: "released", actor: actingName(state, c.caller) };
  return { next, events: [reason === undefined ? told : { ...told, error: reason }] };
}

/** Ends a task at once, whoever holds it: what its holder still sends comes too late. */
function cancel(state: MessageState, { reason }: CommandOf<"cancel">, c: Circumstances): Decision {
  const from = state.status === "pending" ? unheld(state) : state;
  return failed(from, "cancelled", { error: reason }, c, c.caller.claude_id);
}

function cancelAgain(state: MessageState, command: CommandOf<"cancel">): Decision {
  return state.failure === "cancelled" ? unchanged(state) : refuse(state, command);
}

/** A failed task gets all its tries again, without a rest; the fence goes on rising from where it is. */
function retry(state: MessageState, { blocked = 0 }: CommandOf<"retry">, c: Circumstances): Decision {
  const isTried = state.attempt > 0;
  const fresh: MessageState = {
    ...unheld(state),
    blocked,
    tries_left: state.max_attempts,
    failure: null,
    completed_at: null,
    not_before: isTried && state.not_before !== null ? Math.min(state.not_before, c.now) : state.not_before,
    expires_at: state.expires_at !== null && state.expires_at <= c.now ? null : state.expires_at,
  };
  const next = isTried ? claimable(fresh) : waiting(fresh, c.now);
  return backToWaiting(next, { kind: "requeued", actor: c.caller.claude_id });
}

/** A connected run's extension takes effect once its connection is gone. */
function extend(state: MessageState, { attempt, lease_ms }: CommandOf<"extend">, c: Circumstances): Decision {
  assertHolds(state, attempt, c.caller);
  const until = Math.max(state.extended_until ?? 0, c.now + (lease_ms ?? c.lease.detachedMs));
  const lease = state.lease_until === null ? null : Math.max(state.lease_until, until);
  const next = { ...state, extended_until: until, lease_until: lease };
  return silently({ ...next, wake_at: heldWakeAt(next) });
}

function progress(state: MessageState, said: CommandOf<"progress">, c: Circumstances): Decision {
  assertHolds(state, said.attempt, c.caller);
  const told = { percent: said.percent ?? null, note: said.note ?? null, at: c.now };
  return {
    next: { ...state, progress: told },
    events: [{ kind: "progress", actor: actingName(state, c.caller) }],
  };
}

function wakePending(state: MessageState, _command: CommandOf<"wake">, c: Circumstances): Decision {
  if (state.expires_at !== null && state.expires_at <= c.now) {
    return failed(unheld(state), "expired", { error: "nobody claimed it in time" }, c, null);
  }
  const next = waiting(state, c.now);
  if (next.claim_rank === state.claim_rank) return silently({ ...state, wake_at: next.wake_at });
  return { next, events: [{ kind: "ready", actor: null }] };
}

function wakeHeld(state: MessageState, _command: CommandOf<"wake">, c: Circumstances): Decision {
  const timedOut = state.timeout_at !== null && state.timeout_at <= c.now;
  const lapsed = state.lease_until !== null && state.lease_until <= c.now;
  if (!timedOut && !lapsed) return silently({ ...state, wake_at: heldWakeAt(state) });
  const error = timedOut ? `timed out after ${state.timeout_ms} ms` : `${state.claimed_by} was gone`;
  if (state.tries_left === 0) return failed(state, "attempts_exhausted", { error }, c, null);
  return requeued(state, c, null, error);
}
