/** What is read from an open file. Each read is bounded in size, and by an index or the block of the log that fills one. */
import type Database from "better-sqlite3";
import type { About } from "../../../../shared/presence.ts";
import type { TemplateSummary } from "../../../../shared/template.ts";
import type { MessageState } from "../../../core/message.ts";
import type { Reader } from "../../../core/view.ts";
import type { Engine } from "../../engine/engine.ts";
import { prunedPast } from "../../floor.ts";
import { attemptsJson } from "../../json/attemptsJson.ts";
import { messageJson } from "../../json/messageJson.ts";
import { receiptsJson } from "../../json/receiptsJson.ts";
import { scheduleJson, scheduleSlice } from "../../json/scheduleJson.ts";
import type {
  Counts,
  KnownInstance,
  ListFilter,
  LogSlice,
  MessageSlice,
  ScheduleFilter,
  ScheduleSlice,
  Timing,
  Workload,
} from "../../store.ts";
import type { ListReader } from "./listReader.ts";
import { LogReader } from "./logReader.ts";
import { COLUMNS, fromRow, type RawRow } from "./rows.ts";
import type { SqliteLedger } from "./sqliteLedger.ts";

const ALL = COLUMNS.join(", ");

const prepareAll = (db: Database.Database) => ({
  message: db.prepare(`SELECT ${ALL} FROM coordination_messages WHERE id = ?`).raw(),
  held: db
    .prepare(
      "SELECT count(*) FROM coordination_messages WHERE status = 'in_progress' AND type = 'task' AND claimed_by = ?",
    )
    .pluck(),
  instances: db.prepare("SELECT claude_id, state, since, last_seen, beat_ms, about FROM coordination_instances"),
});

/** The engine, for what it keeps in memory. */
type ReadEngine = Pick<Engine, "head" | "counts" | "waiting">;

interface ReadsOptions {
  db: Database.Database;
  lists: ListReader;
  ledger: SqliteLedger;
  engine: ReadEngine;
  graceMs: number;
}

export class SqliteReads {
  readonly #sql: ReturnType<typeof prepareAll>;
  readonly #log: LogReader;
  readonly #lists: ListReader;
  readonly #ledger: SqliteLedger;
  readonly #engine: ReadEngine;
  readonly #graceMs: number;

  constructor({ db, lists, ledger, engine, graceMs }: ReadsOptions) {
    this.#sql = prepareAll(db);
    this.#log = new LogReader(db);
    this.#lists = lists;
    this.#ledger = ledger;
    this.#engine = engine;
    this.#graceMs = graceMs;
  }

  get(id: string, now: number): string | null {
    const state = this.#message(id);
    return state ? messageJson(state, now, this.#graceMs) : null;
  }

  attempts(id: string): string | null {
    const state = this.#message(id);
    return state ? attemptsJson(state, this.#ledger.attempts(id)) : null;
  }

  receipts(id: string): string | null {
    const state = this.#message(id);
    return state ? receiptsJson(state, this.#ledger.receipts.all(id)) : null;
  }

  /** Read from the table: what the ledger caches may be older than another connection's write. */
  #message(id: string): MessageState | undefined {
    const row = this.#sql.message.get(id) as RawRow | undefined;
    return row && fromRow(row);
  }

  /** A list that takes one step only; null: it takes more. */
  listAtOnce(filter: ListFilter, now: number): MessageSlice | null {
    return this.#lists.atOnce(filter, now, this.#engine.head);
  }

  /** Begins a long list; null: it takes more steps. */
  list(filter: ListFilter, now: number): MessageSlice | null {
    return this.#lists.begin(filter, now, this.#engine.head);
  }

  listOn(): MessageSlice | null {
    return this.#lists.goOn();
  }

  endList(): void {
    this.#lists.end();
  }

  log(reader: Reader, after: number, maxEvents: number, maxBytes: number): LogSlice {
    const { floor } = this.#ledger.retention;
    if (after < floor) throw prunedPast(floor);
    return this.#log.read(reader, after, { maxEvents, maxBytes }, this.#engine.head);
  }

  counts(): Counts {
    return { ...this.#engine.counts };
  }

  workload(names: readonly string[]): Workload[] {
    return names.map((claude_id) => {
      const waiting = this.#engine.waiting(claude_id);
      const oldest = waiting === 0 ? null : this.#ledger.oldestWaiting(claude_id);
      return { claude_id, in_progress: this.#sql.held.get(claude_id) as number, waiting, oldest };
    });
  }

  /**
   * Being connected writes nothing: whoever was, and does not beat, was seen for as long as the hub was there itself, which
   * is what it noted last.
   *
   * @param now nobody was seen later, whatever the clock said.
   */
  instances(now: number): KnownInstance[] {
    const thereUntil = this.#ledger.clock.noted() ?? 0;
    const rows = this.#sql.instances.all() as (Omit<KnownInstance, "since" | "last_seen" | "about"> & {
      since: string;
      last_seen: string;
      about: string | null;
    })[];
    return rows.map((row) => {
      const written = Date.parse(row.last_seen);
      const wasConnected = row.state === "online" && row.beat_ms === null;
      const last_seen = Math.min(now, wasConnected ? Math.max(written, thereUntil) : written);
      const about = row.about === null ? null : (JSON.parse(row.about) as About);
      return { ...row, since: Date.parse(row.since), last_seen, about };
    });
  }

  template(name: string): string | null {
    const template = this.#ledger.templates.get(name);
    return template ? JSON.stringify(template) : null;
  }

  templates(): TemplateSummary[] {
    return this.#ledger.templates.list();
  }

  schedule(name: string): string | null {
    const state = this.#ledger.schedules.get(name);
    return state ? scheduleJson(state) : null;
  }

  schedules({ limit, next = "" }: ScheduleFilter): ScheduleSlice {
    return scheduleSlice(this.#ledger.schedules.after(next), limit);
  }

  timetable(): Timing[] {
    return this.#ledger.schedules.timetable();
  }
}
