/** The table of tries that ended otherwise than by completion, over SQLite. */
import type Database from "better-sqlite3";
import { LIMITS } from "../../../../shared/limits.ts";
import type { Attempt } from "../../../core/message.ts";
import { iso } from "../../../iso.ts";

const COLUMNS = ["attempt", "claimed_by", "claimed_run", "claimed_at", "ended_at", "outcome", "error", "late"];
const ALL = COLUMNS.join(", ");

const prepareAll = (db: Database.Database) => ({
  put: db.prepare(
    `INSERT OR REPLACE INTO coordination_attempts (message_id, ${ALL})
       VALUES (:id, ${COLUMNS.map((column) => `:${column}`).join(", ")})`,
  ),
  forgetEarlier: db.prepare("DELETE FROM coordination_attempts WHERE message_id = ? AND attempt <= ?"),
  forget: db.prepare("DELETE FROM coordination_attempts WHERE message_id = ?"),
  all: db.prepare(`SELECT ${ALL} FROM coordination_attempts WHERE message_id = ? ORDER BY attempt`),
});

type Row = Omit<Attempt, "claimed_at" | "ended_at" | "late"> & { claimed_at: string; ended_at: string; late: number };

export class SqliteAttempts {
  readonly #sql: ReturnType<typeof prepareAll>;

  constructor(db: Database.Database) {
    this.#sql = prepareAll(db);
  }

  record(id: string, { claimed_at, ended_at, late, ...attempt }: Attempt): void {
    const times = { claimed_at: iso(claimed_at), ended_at: iso(ended_at) };
    this.#sql.put.run({ id, ...attempt, ...times, late: late ? 1 : 0 });
    this.#sql.forgetEarlier.run(id, attempt.attempt - LIMITS.attempts);
  }

  all(id: string): Attempt[] {
    return (this.#sql.all.all(id) as Row[]).map(toAttempt);
  }

  /** The message is gone. */
  forget(id: string): void {
    this.#sql.forget.run(id);
  }
}

const toAttempt = ({ claimed_at, ended_at, late, ...row }: Row): Attempt => ({
  ...row,
  claimed_at: Date.parse(claimed_at),
  ended_at: Date.parse(ended_at),
  late: late === 1,
});
