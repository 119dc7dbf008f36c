/** The table of schedules over SQLite. */
import type Database from "better-sqlite3";
import type { ScheduleState } from "../../../core/schedule.ts";
import { iso, isoOrNull, msOrNull } from "../../../iso.ts";
import type { ScheduleTable } from "../../engine/ledger.ts";
import type { Timing } from "../../store.ts";

const COLUMNS = [
  "name",
  "cron",
  "timezone",
  "missed",
  "overlap",
  "enabled",
  "message",
  "created_at",
  "updated_at",
  "next_at",
  "last_at",
  "last_id",
  "skipped_at",
  "skipped_because",
];
const ALL = COLUMNS.join(", ");
const TABLE = "coordination_schedules";

const prepareAll = (db: Database.Database) => ({
  get: db.prepare(`SELECT ${ALL} FROM ${TABLE} WHERE name = ?`),
  put: db.prepare(
    `INSERT OR REPLACE INTO ${TABLE} (${ALL}) VALUES (${COLUMNS.map((column) => `:${column}`).join(", ")})`,
  ),
  remove: db.prepare(`DELETE FROM ${TABLE} WHERE name = ?`),
  names: db.prepare(`SELECT name FROM ${TABLE} ORDER BY name`).pluck(),
  count: db.prepare(`SELECT count(*) FROM ${TABLE}`).pluck(),
  after: db.prepare(`SELECT ${ALL} FROM ${TABLE} WHERE name > ? ORDER BY name`),
  timetable: db.prepare(`SELECT name, cron, timezone, missed, next_at FROM ${TABLE} WHERE next_at IS NOT NULL`),
});

interface Row extends Omit<ScheduleState, "enabled" | "message" | Times> {
  enabled: number;
  message: string;
  created_at: string;
  updated_at: string;
  last_at: string | null;
  skipped_at: string | null;
}

type Times = "created_at" | "updated_at" | "last_at" | "skipped_at";

export class SqliteSchedules implements ScheduleTable {
  readonly #sql: ReturnType<typeof prepareAll>;

  constructor(db: Database.Database) {
    this.#sql = prepareAll(db);
  }

  get(name: string): ScheduleState | undefined {
    const row = this.#sql.get.get(name) as Row | undefined;
    return row && fromRow(row);
  }

  put(state: ScheduleState): void {
    this.#sql.put.run(toRow(state));
  }

  remove(name: string): boolean {
    return this.#sql.remove.run(name).changes === 1;
  }

  names(): string[] {
    return this.#sql.names.all() as string[];
  }

  count(): number {
    return this.#sql.count.get() as number;
  }

  /** Those whose names come after this one, in order, read lazily. */
  *after(name: string): Iterable<ScheduleState> {
    for (const row of this.#sql.after.iterate(name)) yield fromRow(row as Row);
  }

  timetable(): Timing[] {
    return this.#sql.timetable.all() as Timing[];
  }
}

const toRow = (state: ScheduleState): Row => ({
  ...state,
  enabled: state.enabled ? 1 : 0,
  message: JSON.stringify(state.message),
  created_at: iso(state.created_at),
  updated_at: iso(state.updated_at),
  last_at: isoOrNull(state.last_at),
  skipped_at: isoOrNull(state.skipped_at),
});

const fromRow = (row: Row): ScheduleState => ({
  ...row,
  enabled: row.enabled === 1,
  message: JSON.parse(row.message),
  created_at: Date.parse(row.created_at),
  updated_at: Date.parse(row.updated_at),
  last_at: msOrNull(row.last_at),
  skipped_at: msOrNull(row.skipped_at),
});
