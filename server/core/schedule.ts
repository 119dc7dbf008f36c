/**
 * The life of a schedule: put, then due again and again.
 *
 * `next_at` is the next occurrence. Settling it, by sending or by skipping, advances it in the same transaction; a
 * second attempt finds another `next_at` and does nothing. So an occurrence counts once, across crashes and steps of
 * the clock. Only a clock that was ahead by more than an hour has settled what has yet to come: see rewound.
 */
import { EVERYONE } from "../../shared/addressing.ts";
import type { Missed, Overlap } from "../../shared/schedule.ts";
import { assertPossible, type NewMessage } from "./create.ts";
import { earliest } from "./deadlines.ts";
import type { MessageState } from "./message.ts";

/** What is sent each time. */
export interface ScheduledMessage extends Omit<NewMessage, "not_before" | "expires_at"> {
  readonly expires_after_ms?: number | undefined;
}

/** A schedule as it was put, defaults filled in. */
export interface SaidSchedule {
  readonly name: string;
  readonly cron: string;
  readonly timezone: string;
  readonly missed: Missed;
  readonly overlap: Overlap;
  readonly enabled: boolean;
  readonly message: ScheduledMessage;
}

/** A schedule as the hub holds it: times in milliseconds, absent values as null. */
export interface ScheduleState extends SaidSchedule {
  readonly created_at: number;
  readonly updated_at: number;
  /** Null: nothing is to come. */
  readonly next_at: number | null;
  readonly last_at: number | null;
  readonly last_id: string | null;
  readonly skipped_at: number | null;
  readonly skipped_because: string | null;
}

/**
 * A new schedule, or one that replaces another of its name. While the times stay the same so does the next occurrence,
 * so that putting it twice neither loses an occurrence nor repeats one.
 *
 * @param next the first occurrence after now.
 * @throws HubError what sending its message would throw.
 */
export function put(
  before: ScheduleState | undefined,
  said: SaidSchedule,
  next: number | null,
  now: number,
): ScheduleState {
  assertPossible(said.message);
  const { created_at = now, last_at = null, last_id = null, skipped_at = null, skipped_because = null } = before ?? {};
  const goesOn = before !== undefined && before.next_at !== null && sameTimes(before, said);
  const soonest = goesOn ? earliest(before.next_at, next) : next; // later only if the clock was ahead
  const next_at = said.enabled ? soonest : null;
  return { ...said, created_at, updated_at: now, next_at, last_at, last_id, skipped_at, skipped_because };
}

/** What a clock settled that was ahead by no more than this is not settled again. */
const AHEAD_MS = 60 * 60_000;

/**
 * The schedule after the clock was put back. Where it went on while the clock was ahead, it goes on from now.
 *
 * @param next the first occurrence after now.
 */
export function rewound(state: ScheduleState, next: number, now: number): ScheduleState {
  const { next_at, updated_at, last_at, skipped_at } = state;
  if (next_at === null || next >= next_at) return state;
  const moves = [updated_at, last_at ?? 0, skipped_at ?? 0].filter((at) => at < next_at); // later ones were before a rewind
  return Math.max(...moves) - now > AHEAD_MS ? { ...state, next_at: next } : state;
}

const sameTimes = (a: SaidSchedule, b: SaidSchedule) => a.cron === b.cron && a.timezone === b.timezone;

/**
 * Why the state of the previous message forbids sending the next one; undefined: it does not. A message to another
 * address holds nothing back; neither does one to everyone, which waits for nobody in particular.
 */
export function heldBack({ overlap, message }: SaidSchedule, last: MessageState | undefined): string | undefined {
  if (last === undefined || last.to_claude !== message.to_claude || last.to_claude === EVERYONE) return undefined;
  if (last.type === "chat") {
    const isUnread = last.status === "pending" && last.delivered_at === null;
    return isUnread ? "its last message is still unread" : undefined;
  }
  if (last.status === "pending") return "its last message still waits to be claimed";
  if (last.status === "in_progress" && overlap === "skip") return "its last message is still in progress";
  return undefined;
}

/**
 * The message of an occurrence. All messages of a schedule are one conversation unless it names another. A chat to
 * everyone, which nobody in particular takes, expires when the next one is due.
 */
export function occurrence({ name, message }: ScheduleState, next: number | null, now: number): NewMessage {
  const { expires_after_ms, thread_id = threadOf(name), ...said } = message;
  const replaced_at = message.to_claude === EVERYONE ? next : null;
  const expires_at = earliest(expires_after_ms === undefined ? null : now + expires_after_ms, replaced_at);
  return { ...said, thread_id, ...(expires_at !== null && { expires_at }) };
}

const threadOf = (schedule: string) => `schedule:${schedule}`;

export const sent = (state: ScheduleState, id: string, next_at: number | null, now: number): ScheduleState => ({
  ...state,
  next_at,
  last_at: now,
  last_id: id,
});

export const skipped = (state: ScheduleState, why: string, next_at: number | null, now: number): ScheduleState => ({
  ...state,
  next_at,
  skipped_at: now,
  skipped_because: why,
});
