/** Schedules over a ledger: how the engine executes their commands. */
import { HubError } from "../../../shared/errors.ts";
import { LIMITS } from "../../../shared/limits.ts";
import { noSchedule } from "../../../shared/refusals.ts";
import type { NewMessage } from "../../core/create.ts";
import type { MessageState } from "../../core/message.ts";
import { heldBack, occurrence, put, rewound, type ScheduleState, sent, skipped } from "../../core/schedule.ts";
import { scheduleJson } from "../json/scheduleJson.ts";
import { type Found, NOTHING, type Nothing, type Shown } from "../outcomes.ts";
import type { StoreCommandOf } from "../storeCommands.ts";
import type { ScheduleTable } from "./ledger.ts";

interface ScheduleContext {
  table: ScheduleTable;
  message: (id: string) => MessageState | undefined;
  /** Sends like any other send. @returns the message's id. @throws HubError when it is refused. */
  send: (said: NewMessage) => string;
  /** Counts what an answer says. */
  say: (json: string) => string;
}

export class Schedules {
  readonly #context: ScheduleContext;
  readonly #table: ScheduleTable;

  constructor(context: ScheduleContext) {
    this.#context = context;
    this.#table = context.table;
  }

  put({ schedule, next }: StoreCommandOf<"schedule_put">, now: number): Shown {
    const before = this.#table.get(schedule.name);
    const state = put(before, schedule, next, now);
    if (!before && this.#table.count() >= LIMITS.schedules) {
      throw new HubError(
        "too_many_schedules",
        `The hub keeps ${LIMITS.schedules} schedules already: delete one first`,
        {
          limit: LIMITS.schedules,
        },
      );
    }
    this.#table.put(state);
    return this.#show(state);
  }

  remove({ name }: StoreCommandOf<"schedule_delete">): Nothing {
    if (!this.#table.remove(name)) throw noSchedule(name, this.#table.names());
    return NOTHING;
  }

  fire({ name, due, next, skip }: StoreCommandOf<"schedule_fire">, now: number): Found {
    const state = this.#table.get(name);
    if (!state) return NOTHING;
    if (state.next_at !== due) return this.#show(state);
    const after = settle(state, skip, next, this.#context, now);
    this.#table.put(after);
    return this.#show(after);
  }

  rewind({ name, due, next }: StoreCommandOf<"schedule_rewind">, now: number): Found {
    const state = this.#table.get(name);
    if (!state) return NOTHING;
    const after = state.next_at === due ? rewound(state, next, now) : state;
    if (after !== state) this.#table.put(after);
    return this.#show(after);
  }

  #show(state: ScheduleState): Shown {
    return { ok: true, json: this.#context.say(scheduleJson(state)) };
  }
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
