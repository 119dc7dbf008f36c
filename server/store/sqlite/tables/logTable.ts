import type Database from "better-sqlite3";
import type { StoredEntry } from "../../engine/ledger.ts";

type Value = string | number | null;

const COLUMNS = ["seq", "kind", "message_id", "from_claude", "to_claude", "envelope"];
const WIDTH = COLUMNS.length;

/** Rows that one statement writes: each costs a third less than by a statement of its own. */
const ROWS = 16;

/** The log's table. Entries are kept back and written together, at the latest when the batch ends. */
export class LogTable {
  readonly #one: Database.Statement;
  readonly #many: Database.Statement;
  readonly #bodies: Database.Statement;
  #values: Value[] = [];

  constructor(db: Database.Database) {
    const row = `(${COLUMNS.map(() => "?").join(", ")})`;
    const insert = (rows: number) =>
      db.prepare(`INSERT INTO coordination_log (${COLUMNS.join(", ")}) VALUES ${Array(rows).fill(row).join(", ")}`);
    this.#one = insert(1);
    this.#many = insert(ROWS);
    this.#bodies = db.prepare("INSERT INTO coordination_bodies (seq, message_id, bodies) VALUES (?, ?, ?)");
  }

  append({ seq, kind, id, from, to, envelope, bodies }: StoredEntry): void {
    this.#values.push(seq, kind, id, from, to, envelope);
    if (this.#values.length === ROWS * WIDTH) this.#many.run(...this.#take());
    if (bodies !== null) this.#bodies.run(seq, id, bodies);
  }

  /** Writes what was kept back. */
  flush(): void {
    const values = this.#take();
    for (let at = 0; at < values.length; at += WIDTH) this.#one.run(...values.slice(at, at + WIDTH));
  }

  /** Drops what was kept back: its batch is undone. */
  forget(): void {
    this.#values = [];
  }

  #take(): Value[] {
    const values = this.#values;
    this.#values = [];
    return values;
  }
}
