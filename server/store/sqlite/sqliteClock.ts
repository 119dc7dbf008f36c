/** What the tables know of the clock. */
import type Database from "better-sqlite3";
import type { ClockTable } from "../ledger.ts";

const TIMED = `
  SELECT id FROM coordination_messages WHERE status = 'in_progress' AND claimed_by IS NOT NULL
    AND coalesce(lease_until, extended_until, timeout_at) IS NOT NULL
  UNION ALL
  SELECT id FROM coordination_messages INDEXED BY coordination_messages_wake WHERE wake_at IS NOT NULL
    AND status = 'pending' AND attempt > 0 AND claim_rank IS NULL AND blocked = 0 AND not_before IS NOT NULL`;

export class SqliteClock implements ClockTable {
  readonly #noted: Database.Statement;
  readonly #note: Database.Statement;
  readonly #timed: Database.Statement;

  constructor(db: Database.Database) {
    this.#noted = db.prepare("SELECT now FROM coordination_clock WHERE id = 1").pluck();
    this.#note = db.prepare(
      "INSERT INTO coordination_clock VALUES (1, ?) ON CONFLICT DO UPDATE SET now = excluded.now",
    );
    this.#timed = db.prepare(TIMED).pluck();
  }

  noted(): number | null {
    return (this.#noted.get() as number | undefined) ?? null;
  }

  note(now: number): void {
    this.#note.run(now);
  }

  timed(): string[] {
    return this.#timed.all() as string[];
  }
}
