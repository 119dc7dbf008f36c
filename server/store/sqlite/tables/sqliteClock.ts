/** What the tables know of the clock. */
import type Database from "better-sqlite3";
import { isTimed } from "../../../core/deadlines.ts";
import type { MessageState } from "../../../core/message.ts";
import type { ClockTable } from "../../engine/ledger.ts";

/** What `isTimed` says, of the tables. */
const TIMED = `
  SELECT id FROM coordination_messages WHERE status = 'in_progress' AND claimed_by IS NOT NULL
    AND coalesce(lease_until, extended_until, timeout_at) IS NOT NULL
  UNION ALL
  SELECT id FROM coordination_messages INDEXED BY coordination_messages_wake WHERE wake_at IS NOT NULL
    AND status = 'pending' AND attempt > 0 AND claim_rank IS NULL AND blocked = 0 AND not_before IS NOT NULL`;

export class SqliteClock implements ClockTable {
  readonly #noted: Database.Statement;
  readonly #note: Database.Statement;
  readonly #readTimed: Database.Statement;
  #timed: Set<string> | undefined;

  constructor(db: Database.Database) {
    this.#noted = db.prepare("SELECT now FROM coordination_clock WHERE id = 1").pluck();
    this.#note = db.prepare(
      "INSERT INTO coordination_clock (id, now) VALUES (1, ?) ON CONFLICT DO UPDATE SET now = excluded.now",
    );
    this.#readTimed = db.prepare(TIMED).pluck();
  }

  noted(): number | null {
    return (this.#noted.get() as number | undefined) ?? null;
  }

  note(now: number): void {
    this.#note.run(now);
  }

  get timed(): ReadonlySet<string> {
    this.#timed ??= new Set(this.#readTimed.all() as string[]);
    return this.#timed;
  }

  /** A message has changed to this state. */
  observe(state: MessageState): void {
    if (isTimed(state)) this.#timed?.add(state.id);
    else this.#timed?.delete(state.id);
  }

  drop(id: string): void {
    this.#timed?.delete(id);
  }

  /** The tables may hold something else now. */
  forget(): void {
    this.#timed = undefined;
  }
}
