/** Schedules as JSON. */
import { LIMITS } from "../../../shared/limits.ts";
import type { ScheduleState } from "../../core/schedule.ts";
import { iso, isoOrNull } from "../../iso.ts";
import type { ScheduleSlice } from "../store.ts";

/** A schedule as it is told. */
export const scheduleJson = ({ message, ...s }: ScheduleState): string =>
  JSON.stringify({
    name: s.name,
    cron: s.cron,
    timezone: s.timezone,
    missed: s.missed,
    overlap: s.overlap,
    enabled: s.enabled,
    message,
    created_at: iso(s.created_at),
    updated_at: iso(s.updated_at),
    next_at: isoOrNull(s.next_at) ?? undefined,
    last_at: isoOrNull(s.last_at) ?? undefined,
    last_id: s.last_id ?? undefined,
    skipped_at: isoOrNull(s.skipped_at) ?? undefined,
    skipped_because: s.skipped_because ?? undefined,
  });

/** One page of schedules, in the order of their names. @param states those after the page before, one more than fits. */
export function scheduleSlice(states: Iterable<ScheduleState>, limit: number): ScheduleSlice {
  const schedules: string[] = [];
  let last = "";
  let size = 0;
  for (const state of states) {
    const json = scheduleJson(state);
    size += json.length;
    if (schedules.length === limit || (schedules.length > 0 && size > LIMITS.list_bytes)) {
      return { schedules, next: last };
    }
    schedules.push(json);
    last = state.name;
  }
  return { schedules, next: null };
}
