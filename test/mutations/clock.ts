/** Bugs to plant in what becomes of deadlines when the clock is set, or the hub is stopped or away. */
import type { Mutation } from "./mutations.ts";

const TIMEKEEPER = "server/store/engine/timekeeper.ts";
const DEADLINES = "server/core/deadlines.ts";
const SCHEDULE = "server/core/schedule.ts";
const TASK = "server/core/task.ts";
const TABLE = "server/store/sqlite/tables/sqliteClock.ts";
const ENGINE = "server/store/engine/engine.ts";
const READS = "server/store/sqlite/tables/sqliteReads.ts";

export const CLOCK_MUTATIONS: readonly Mutation[] = [
  {
    breaks: "a clock that is put back makes leases last for ever",
    file: TIMEKEEPER,
    search: "if (Math.abs(jump) > least) {",
    replace: "if (jump > least) {",
  },
  {
    breaks: "a clock that was set moves deadlines at every batch",
    file: TIMEKEEPER,
    search: "      this.#drift = undefined;\n    }",
    replace: "    }",
  },
  {
    breaks: "leases run out while the hub is away, clock or no clock",
    file: TIMEKEEPER,
    search: "return now - (this.#noted ?? now);",
    replace: "return 0;",
  },
  {
    breaks: "in a hub that is killed again and again the clock stands still",
    file: TIMEKEEPER,
    search: "const AWAY_MS = 10_000;",
    replace: "const AWAY_MS = 100;",
  },
  {
    breaks: "a quiet hub does not know how long it was away",
    file: TIMEKEEPER,
    search: "this.#noted === null || this.#ledger.clock.timed.size === 0 ?",
    replace: "this.#noted === null || this.#ledger.clock.timed.size >= 0 ?",
  },
  {
    breaks: "a hub with nothing that is timed writes the time for ever",
    file: TIMEKEEPER,
    search: "this.#noted === null || this.#ledger.clock.timed.size === 0 ?",
    replace: "this.#noted === null ?",
  },
  {
    breaks: "a quiet hub that is closed was there until its last batch only",
    file: ENGINE,
    search: "this.#timekeeper.note(this.#now);",
    replace: "",
  },
  {
    breaks: "whoever was connected when a hub ended was seen when it came, and not since",
    file: READS,
    search: "Math.max(written, thereUntil)",
    replace: "written",
  },
  {
    breaks: "whoever beat once was seen for as long as the hub was there",
    file: READS,
    search: 'row.state === "online" && row.beat_ms === null',
    replace: 'row.state === "online"',
  },
  {
    breaks: "a clock that was ahead makes an instance seen in a time to come",
    file: READS,
    search: "Math.min(now, wasConnected ? Math.max(written, thereUntil) : written)",
    replace: "wasConnected ? Math.max(written, thereUntil) : written",
  },
  {
    breaks: "a schedule that went on while the clock was ahead stays silent once that is put right",
    file: SCHEDULE,
    search: "{ ...state, next_at: next } : state;",
    replace: "{ ...state } : state;",
  },
  {
    breaks: "a small step of the clock sends an occurrence twice",
    file: SCHEDULE,
    search: "const AHEAD_MS = 60 * 60_000;",
    replace: "const AHEAD_MS = 0;",
  },
  {
    breaks: "after a clock was ahead, each small step sends an occurrence twice",
    file: SCHEDULE,
    search: ".filter((at) => at < next_at)",
    replace: "",
  },
  {
    breaks: "a clock that is put forward ends the time of an attempt",
    file: DEADLINES,
    search: "timeout_at: moved(state.timeout_at),",
    replace: "timeout_at: state.timeout_at,",
  },
  {
    breaks: "a clock that is put back lets a task rest for ever",
    file: TABLE,
    search: "AND attempt > 0 AND claim_rank IS NULL",
    replace: "AND attempt > 99 AND claim_rank IS NULL",
  },
  {
    breaks: "what is for a time of the calendar does not follow the clock",
    file: TABLE,
    search: "AND attempt > 0 AND claim_rank IS NULL",
    replace: "AND attempt >= 0 AND claim_rank IS NULL",
  },
  {
    breaks: "a task that is given back waits anew for its time after the clock was put back",
    file: TASK,
    search: ": claimable(untried)",
    replace: ": waiting(untried, c.now)",
  },
];
