/** What the engine keeps in memory, as the tables give it. */
import type Database from "better-sqlite3";
import { Backlog, type BacklogCounts } from "../../engine/backlog.ts";
import type { Tally } from "../../engine/journal.ts";
import type { Counts } from "../../store.ts";
import type { SqliteLedger } from "./sqliteLedger.ts";

/** What counts against the bounds, by one of its sides. @see Backlog */
const backlogBy = (side: "to_claude" | "from_claude") =>
  `SELECT ${side}, count(*) FROM coordination_messages INDEXED BY coordination_messages_pending
   WHERE status = 'pending' AND (type = 'task' OR delivered_at IS NULL) AND (to_claude <> '*' OR EXISTS
     (SELECT 1 FROM coordination_receipts WHERE message_id = coordination_messages.id AND delivered_at IS NULL AND NOT late))
   GROUP BY ${side}`;

const prepareAll = (db: Database.Database) => ({
  counts: db.prepare("SELECT counts FROM coordination_log WHERE seq = (SELECT max(seq) FROM coordination_log)").pluck(),
  /** Where the log does not say: nothing was logged since a table was taken over, or somebody deleted the log's end. */
  counted: db.prepare("SELECT status, count(*) FROM coordination_messages GROUP BY status").raw(),
  head: db.prepare("SELECT coalesce(max(seq), 0) FROM coordination_log").pluck(),
  waiting: db
    .prepare("SELECT to_claude, count(*) FROM coordination_messages WHERE status = 'pending' GROUP BY to_claude")
    .raw(),
  recipients: db.prepare(backlogBy("to_claude")).raw(),
  senders: db.prepare(backlogBy("from_claude")).raw(),
});

const NONE: Counts = { pending: 0, in_progress: 0, complete: 0, failed: 0 };

/** @returns a function that counts anew with every call. */
export function tallyOver(db: Database.Database, ledger: SqliteLedger): () => Tally {
  const sql = prepareAll(db);
  const counted = (by: Database.Statement) => new Map(by.all() as [string, number][]);
  /** Not before a bound may be reached, so within a batch. */
  const backlog = (): BacklogCounts => {
    ledger.writeFresh();
    return { recipients: counted(sql.recipients), senders: counted(sql.senders) };
  };
  const counts = (): Counts => {
    const logged = sql.counts.get() as string | null | undefined;
    return logged ? JSON.parse(logged) : { ...NONE, ...Object.fromEntries(counted(sql.counted)) };
  };
  return () => ({
    head: sql.head.get() as number,
    counts: counts(),
    waiting: counted(sql.waiting),
    backlog: new Backlog(backlog, ledger.receipts),
  });
}
