/** The table of receipts over SQLite. */
import type Database from "better-sqlite3";
import type { Receipt } from "../../core/receipt.ts";
import type { ReceiptTable } from "../ledger.ts";
import { iso } from "../messageJson.ts";

const FIELDS = "recipient, delivered_at, seen_at, acknowledged_at";

const prepareAll = (db: Database.Database) => ({
  open: db.prepare(
    `INSERT INTO coordination_receipts (message_id, recipient)
       SELECT :id, claude_id FROM coordination_instances WHERE claude_id <> :sender
       ORDER BY state = 'online' DESC, last_seen DESC, claude_id LIMIT :limit`,
  ),
  of: db.prepare(`SELECT ${FIELDS} FROM coordination_receipts WHERE message_id = ? AND recipient = ?`),
  put: db.prepare("INSERT OR REPLACE INTO coordination_receipts VALUES (?, ?, ?, ?, ?)"),
  count: db.prepare("SELECT count(*) FROM coordination_receipts WHERE message_id = ?").pluck(),
  isOpen: db.prepare("SELECT 1 FROM coordination_receipts WHERE message_id = ? AND acknowledged_at IS NULL LIMIT 1"),
  all: db.prepare(`SELECT ${FIELDS} FROM coordination_receipts WHERE message_id = ? ORDER BY recipient`),
  forget: db.prepare("DELETE FROM coordination_receipts WHERE message_id = ?"),
});

export type ReceiptRow = { [K in keyof Receipt]: K extends "recipient" ? string : string | null };

export class SqliteReceipts implements ReceiptTable {
  readonly #sql: ReturnType<typeof prepareAll>;

  constructor(db: Database.Database) {
    this.#sql = prepareAll(db);
  }

  open(id: string, sender: string, limit: number): void {
    this.#sql.open.run({ id, sender, limit });
  }

  of(id: string, recipient: string): Receipt | undefined {
    const row = this.#sql.of.get(id, recipient) as ReceiptRow | undefined;
    return row && toReceipt(row);
  }

  put(id: string, { recipient, delivered_at, seen_at, acknowledged_at }: Receipt): void {
    this.#sql.put.run(id, recipient, isoOf(delivered_at), isoOf(seen_at), isoOf(acknowledged_at));
  }

  count(id: string): number {
    return this.#sql.count.get(id) as number;
  }

  isOpen(id: string): boolean {
    return this.#sql.isOpen.get(id) !== undefined;
  }

  all(id: string): Receipt[] {
    return (this.#sql.all.all(id) as ReceiptRow[]).map(toReceipt);
  }

  /** The message is gone. */
  forget(id: string): void {
    this.#sql.forget.run(id);
  }
}

const isoOf = (ms: number | null) => (ms === null ? null : iso(ms));
const msOf = (text: string | null) => (text === null ? null : Date.parse(text));

export const toReceipt = ({ recipient, delivered_at, seen_at, acknowledged_at }: ReceiptRow): Receipt => ({
  recipient,
  delivered_at: msOf(delivered_at),
  seen_at: msOf(seen_at),
  acknowledged_at: msOf(acknowledged_at),
});
