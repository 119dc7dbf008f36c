/**
 * Who may see which entries of the log, by name: readers far behind are served from here.
 *
 * Names are noted by blocks of entries: the commit that fills a block notes all of it. A commit alone then writes two
 * pages less, which is a tenth of the time that one task takes. What fills no block yet is looked through.
 *
 * Invariant: every entry up to `notedUpTo(head)` is noted, and none after it.
 */
import type Database from "better-sqlite3";

/** Entries in a block: noting them takes about as long as committing them. The migration that made the table knows it, too. */
const BLOCK = 512;

/** Where the last full block ends, in a log that ends at `head`. */
export const notedUpTo = (head: number) => head - (head % BLOCK);

const pruned = (side: "to_claude" | "from_claude") =>
  `DELETE FROM coordination_log_names WHERE (name, seq) IN (SELECT ${side}, seq FROM coordination_log WHERE seq <= ?)`;

const prepareAll = (db: Database.Database) => ({
  note: db.prepare(
    `INSERT INTO coordination_log_names (name, seq, sent)
       SELECT to_claude, seq, 0 FROM coordination_log WHERE seq > :from AND seq <= :to
       UNION ALL
       SELECT from_claude, seq, 1 FROM coordination_log WHERE seq > :from AND seq <= :to AND from_claude <> to_claude`,
  ),
  pruneRecipients: db.prepare(pruned("to_claude")),
  pruneSenders: db.prepare(pruned("from_claude")),
});

export class LogNames {
  readonly #sql: ReturnType<typeof prepareAll>;

  constructor(db: Database.Database) {
    this.#sql = prepareAll(db);
  }

  /** A batch has appended these entries. */
  appended(first: number, last: number): void {
    const from = notedUpTo(first - 1);
    const to = notedUpTo(last);
    if (to > from) this.#sql.note.run({ from, to });
  }

  /** Forgets the entries up to `last`, which must still be there. */
  prune(last: number): void {
    this.#sql.pruneRecipients.run(last);
    this.#sql.pruneSenders.run(last);
  }
}

/**
 * The noted entries that one reader may see: sent by it, sent to any of its addresses, sent to everyone. Merged in order.
 *
 * @param addresses how many it has: its own name is `:a0`.
 */
export const notedFor = (addresses: number) => {
  const entries = (which: string) => `SELECT seq FROM coordination_log_names WHERE ${which} AND seq > :after`;
  const pools = Array.from({ length: addresses - 1 }, (_, i) => `name = :a${i + 1} AND sent = 0`);
  const all = ["name = :a0", ...pools, "name = '*' AND sent = 0"];
  return `${all.map(entries).join(" UNION ")} ORDER BY seq LIMIT :limit`;
};
