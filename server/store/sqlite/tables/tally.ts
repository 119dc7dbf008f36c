/** What the engine keeps in memory, as the tables give it. */
import type Database from "better-sqlite3";
import type { Status } from "../../../../shared/message.ts";
import { Backlog, type BacklogCounts } from "../../engine/backlog.ts";
import type { Tally } from "../../engine/journal.ts";
import type { ReceiptTable } from "../../engine/ledger.ts";
import type { Counts } from "../../store.ts";

/** What counts against the bounds, by one of its sides. @see Backlog */
const backlogBy = (side: "to_claude" | "from_claude") =>
  `SELECT ${side}, count(*) FROM coordination_messages INDEXED BY coordination_messages_pending
   WHERE status = 'pending' AND (type = 'task' OR delivered_at IS NULL) AND (to_claude <> '*' OR EXISTS
     (SELECT 1 FROM coordination_receipts WHERE message_id = coordination_messages.id AND delivered_at IS NULL AND NOT late))
   GROUP BY ${side}`;

const prepareAll = (db: Database.Database) => ({
  counts: db.prepare("SELECT status, count FROM coordination_counts").raw(),
  head: db.prepare("SELECT coalesce(max(seq), 0) FROM coordination_log").pluck(),
  waiting: db
    .prepare("SELECT to_claude, count(*) FROM coordination_messages WHERE status = 'pending' GROUP BY to_claude")
    .raw(),
  recipients: db.prepare(backlogBy("to_claude")).raw(),
  senders: db.prepare(backlogBy("from_claude")).raw(),
});

/** @returns a function that counts anew with every call. */
export function tallyOver(db: Database.Database, receipts: ReceiptTable): () => Tally {
  const sql = prepareAll(db);
  const counted = (by: Database.Statement) => new Map(by.all() as [string, number][]);
  const backlog = (): BacklogCounts => ({ recipients: counted(sql.recipients), senders: counted(sql.senders) });
  return () => ({
    head: sql.head.get() as number,
    counts: Object.fromEntries(sql.counts.all() as [Status, number][]) as Counts,
    waiting: counted(sql.waiting),
    backlog: new Backlog(backlog, receipts),
  });
}
