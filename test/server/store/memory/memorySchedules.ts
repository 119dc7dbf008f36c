/** The table of schedules in memory. For tests. */
import type { ScheduleState } from "../../../../server/core/schedule.ts";
import type { ScheduleTable } from "../../../../server/store/engine/ledger.ts";
import type { Timing } from "../../../../server/store/store.ts";

export class MemorySchedules implements ScheduleTable {
  readonly #schedules = new Map<string, ScheduleState>();

  get(name: string) {
    return this.#schedules.get(name);
  }

  put(state: ScheduleState) {
    this.#schedules.set(state.name, state);
  }

  remove(name: string) {
    return this.#schedules.delete(name);
  }

  names() {
    return [...this.#schedules.keys()];
  }

  count() {
    return this.#schedules.size;
  }

  /** Those whose names come after this one, in order. */
  after(name: string): ScheduleState[] {
    return [...this.#schedules.values()].filter((s) => s.name > name).sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  timetable(): Timing[] {
    return this.after("").filter(({ next_at }) => next_at !== null);
  }
}
