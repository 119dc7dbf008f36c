/**
 * The log by who may see its entries: readers far behind are served from here.
 *
 * It is filled by blocks of entries: the commit that fills a block indexes all of it, so that a commit alone writes
 * two pages less. What fills no block yet is found by looking through it.
 *
 * Invariant: every entry up to `indexedUpTo(head)` is indexed. One that is deleted, by whomever, leaves the index by a
 * trigger.
 */
import type Database from "better-sqlite3";

/**
 * Entries in a block: the more, the longer the one commit that indexes them, up to two pages each where many talk. It never
 * changes: every file is filled by it.
 */
const BLOCK = 64;

/** Where the last full block ends, in a log that ends at `head`. */
export const indexedUpTo = (head: number) => head - (head % BLOCK);

/** Some of a block is indexed already where somebody took away the end of the log. */
const ADD = `INSERT OR IGNORE INTO coordination_log_index (name, seq, is_sender)
  SELECT to_claude, seq, 0 FROM coordination_log WHERE seq > :from AND seq <= :to
  UNION ALL
  SELECT from_claude, seq, 1 FROM coordination_log WHERE seq > :from AND seq <= :to AND from_claude <> to_claude`;

export class LogIndex {
  readonly #add: Database.Statement;

  constructor(db: Database.Database) {
    this.#add = db.prepare(ADD);
  }

  /** A batch has appended these entries. */
  appended(first: number, last: number): void {
    const from = indexedUpTo(first - 1);
    const to = indexedUpTo(last);
    if (to > from) this.#add.run({ from, to });
  }
}

/**
 * The indexed entries that one reader may see: sent by it, sent to any of its addresses, sent to everyone. Merged in order.
 *
 * @param addresses how many it has: its own name is `:a0`.
 */
export const indexedFor = (addresses: number) => {
  const entries = (which: string) => `SELECT seq FROM coordination_log_index WHERE ${which} AND seq > :after`;
  const pools = Array.from({ length: addresses - 1 }, (_, i) => `name = :a${i + 1} AND is_sender = 0`);
  const all = ["name = :a0", ...pools, "name = '*' AND is_sender = 0"];
  return `${all.map(entries).join(" UNION ")} ORDER BY seq LIMIT :limit`;
};
