/** Schedules over a ledger: how the engine executes their commands. */
import { HubError } from "../../../shared/errors.ts";
import { LIMITS } from "../../../shared/limits.ts";
import { noSchedule } from "../../../shared/refusals.ts";
import type { NewMessage } from "../../core/create.ts";
import type { MessageState } from "../../core/message.ts";
import { heldBack, occurrence, put, rewound, type ScheduleState, sent, skipped } from "../../core/schedule.ts";
import { scheduleJson } from "../json/scheduleJson.ts";
import type { ScheduleCommand } from "../store.ts";
import type { ScheduleTable } from "./ledger.ts";

interface ScheduleContext {
  table: ScheduleTable;
  message: (id: string) => MessageState | undefined;
  /** Sends like any other send. @returns the message's id. @throws HubError when it is refused. */
  send: (said: NewMessage) => string;
}

/** Carries one command out. @returns the schedule after it as JSON; null when there is none. */
export function executeSchedule(command: ScheduleCommand, context: ScheduleContext, now: number): string | null {
  if (command.op === "schedule_put") return keep(command, context, now);
  if (command.op === "schedule_fire") return fire(command, context, now);
  if (command.op === "schedule_rewind") return rewind(command, context, now);
  if (context.table.remove(command.name)) return null;
  throw noSchedule(command.name, context.table.names());
}

type Put = Extract<ScheduleCommand, { op: "schedule_put" }>;
type Fire = Extract<ScheduleCommand, { op: "schedule_fire" }>;
type Rewind = Extract<ScheduleCommand, { op: "schedule_rewind" }>;

function keep({ schedule, next }: Put, { table }: ScheduleContext, now: number): string {
  const before = table.get(schedule.name);
  const state = put(before, schedule, next, now);
  if (!before && table.count() >= LIMITS.schedules) {
    throw new HubError("too_many_schedules", `The hub keeps ${LIMITS.schedules} schedules already: delete one first`, {
      limit: LIMITS.schedules,
    });
  }
  table.put(state);
  return scheduleJson(state);
}

function fire({ name, due, next, skip }: Fire, context: ScheduleContext, now: number): string | null {
  const state = context.table.get(name);
  if (!state) return null;
  if (state.next_at !== due) return scheduleJson(state);
  const after = settle(state, skip, next, context, now);
  context.table.put(after);
  return scheduleJson(after);
}

function rewind({ name, due, next }: Rewind, { table }: ScheduleContext, now: number): string | null {
  const state = table.get(name);
  if (!state) return null;
  const after = state.next_at === due ? rewound(state, next, now) : state;
  if (after !== state) table.put(after);
  return scheduleJson(after);
}

function settle(
  state: ScheduleState,
  skip: string | undefined,
  next: number | null,
  { message, send }: ScheduleContext,
  now: number,
): ScheduleState {
  const last = state.last_id === null ? undefined : message(state.last_id);
  const why = skip ?? heldBack(state, last);
  if (why !== undefined) return skipped(state, why, next, now);
  try {
    return sent(state, send(occurrence(state, next, now)), next, now);
  } catch (error) {
    if (!(error instanceof HubError)) throw error;
    return skipped(state, error.message, next, now); // asking again would be refused again
  }
}
