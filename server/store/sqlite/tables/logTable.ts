import type Database from "better-sqlite3";
import type { StoredEntry } from "../../engine/ledger.ts";
import type { Counts } from "../../store.ts";
import { LogIndex } from "./logIndex.ts";

type Value = string | number | null;

const COLUMNS = ["seq", "kind", "message_id", "from_claude", "to_claude", "envelope", "counts"];
const WIDTH = COLUMNS.length;

/** Rows that one statement writes: each costs a third less than by a statement of its own. */
const ROWS = 16;

/**
 * The log's table. Entries are kept back and written together, at the latest when the batch ends; its last entry says how
 * many messages of each status there are.
 */
export class LogTable {
  readonly #index: LogIndex;
  readonly #one: Database.Statement;
  readonly #many: Database.Statement;
  readonly #bodies: Database.Statement;
  #values: Value[] = [];
  /** Of this batch. */
  #first: number | undefined;

  constructor(db: Database.Database) {
    const row = `(${COLUMNS.map(() => "?").join(", ")})`;
    const insert = (rows: number) =>
      db.prepare(`INSERT INTO coordination_log (${COLUMNS.join(", ")}) VALUES ${Array(rows).fill(row).join(", ")}`);
    this.#index = new LogIndex(db);
    this.#one = insert(1);
    this.#many = insert(ROWS);
    this.#bodies = db.prepare("INSERT INTO coordination_bodies (seq, message_id, bodies) VALUES (?, ?, ?)");
  }

  append({ seq, kind, id, from, to, envelope, bodies }: StoredEntry): void {
    if (this.#values.length === ROWS * WIDTH) this.#many.run(...this.#take());
    this.#values.push(seq, kind, id, from, to, envelope, null);
    this.#first ??= seq;
    if (bodies !== null) this.#bodies.run(seq, id, bodies);
  }

  /** The batch is over, and has appended something: writes what was kept back. */
  seal(counts: Counts): void {
    const first = this.#first as number;
    const values = this.#take();
    const last = values.at(-WIDTH) as number;
    values[values.length - 1] = JSON.stringify(counts);
    for (let at = 0; at < values.length; at += WIDTH) this.#one.run(...values.slice(at, at + WIDTH));
    this.#index.appended(first, last);
    this.#first = undefined;
  }

  /** Drops what was kept back: its batch is undone. */
  forget(): void {
    this.#values = [];
    this.#first = undefined;
  }

  #take(): Value[] {
    const values = this.#values;
    this.#values = [];
    return values;
  }
}
