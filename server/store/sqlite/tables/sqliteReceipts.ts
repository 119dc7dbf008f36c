/** The table of receipts over SQLite. */
import type Database from "better-sqlite3";
import type { Receipt } from "../../../core/receipt.ts";
import { iso, isoOrNull, msOrNull } from "../../../iso.ts";
import type { ReceiptTable } from "../../engine/ledger.ts";

/** In the order of the table. */
export const RECEIPT = ["recipient", "delivered_at", "seen_at", "acknowledged_at", "said", "late"] as const;

const FIELDS = RECEIPT.join(", ");

const prepareAll = (db: Database.Database) => ({
  known: db
    .prepare(
      `SELECT claude_id FROM coordination_instances WHERE state <> 'offline' OR last_seen >= ?
       ORDER BY state = 'online' DESC, last_seen DESC, claude_id LIMIT ?`,
    )
    .pluck(),
  open: db.prepare("INSERT INTO coordination_receipts (message_id, recipient) VALUES (?, ?)"),
  of: db.prepare(`SELECT ${FIELDS} FROM coordination_receipts WHERE message_id = ? AND recipient = ?`),
  put: db.prepare(`INSERT OR REPLACE INTO coordination_receipts (message_id, ${FIELDS}) VALUES (?, ?, ?, ?, ?, ?, ?)`),
  count: db.prepare("SELECT count(*) FROM coordination_receipts WHERE message_id = ?").pluck(),
  isOpen: db.prepare(
    "SELECT 1 FROM coordination_receipts WHERE message_id = ? AND acknowledged_at IS NULL AND NOT late LIMIT 1",
  ),
  isUndelivered: db.prepare(
    "SELECT 1 FROM coordination_receipts WHERE message_id = ? AND delivered_at IS NULL AND NOT late LIMIT 1",
  ),
  all: db.prepare(`SELECT ${FIELDS} FROM coordination_receipts WHERE message_id = ? ORDER BY recipient`),
  awaited: db.prepare(
    `SELECT message_id, ${FIELDS} FROM coordination_receipts INDEXED BY coordination_receipts_open
     WHERE recipient = ? AND acknowledged_at IS NULL AND NOT late LIMIT ?`,
  ),
  forget: db.prepare("DELETE FROM coordination_receipts WHERE message_id = ?"),
});

export type ReceiptRow = Record<Exclude<(typeof RECEIPT)[number], "recipient" | "late">, string | null> & {
  recipient: string;
  late: number;
};

export class SqliteReceipts implements ReceiptTable {
  readonly #sql: ReturnType<typeof prepareAll>;
  /** Whom a chat to everyone is for, as long as nobody comes or goes: sorting thousands takes time. */
  #everyone: { since: number; names: readonly string[] } | undefined;

  constructor(db: Database.Database) {
    this.#sql = prepareAll(db);
  }

  open(id: string, sender: string, since: number, limit: number): void {
    const others = this.#known(since, limit + 1).filter((name) => name !== sender);
    for (const name of others.slice(0, limit)) this.#sql.open.run(id, name);
  }

  /** The table of instances may hold something else now. */
  instancesChanged(): void {
    this.#everyone = undefined;
  }

  #known(since: number, limit: number): readonly string[] {
    if (this.#everyone?.since !== since) {
      this.#everyone = { since, names: this.#sql.known.all(iso(since), limit) as string[] };
    }
    return this.#everyone.names;
  }

  of(id: string, recipient: string): Receipt | undefined {
    const row = this.#sql.of.get(id, recipient) as ReceiptRow | undefined;
    return row && toReceipt(row);
  }

  put(id: string, { recipient, delivered_at, seen_at, acknowledged_at, said, isLate }: Receipt): void {
    const times = [isoOrNull(delivered_at), isoOrNull(seen_at), isoOrNull(acknowledged_at)];
    this.#sql.put.run(id, recipient, ...times, said, isLate ? 1 : 0);
  }

  count(id: string): number {
    return this.#sql.count.get(id) as number;
  }

  isOpen(id: string): boolean {
    return this.#sql.isOpen.get(id) !== undefined;
  }

  isUndelivered(id: string): boolean {
    return this.#sql.isUndelivered.get(id) !== undefined;
  }

  all(id: string): Receipt[] {
    return (this.#sql.all.all(id) as ReceiptRow[]).map(toReceipt);
  }

  awaited(recipient: string, limit: number): [id: string, receipt: Receipt][] {
    const rows = this.#sql.awaited.all(recipient, limit) as (ReceiptRow & { message_id: string })[];
    return rows.map((row) => [row.message_id, toReceipt(row)]);
  }

  /** The message is gone. */
  forget(id: string): void {
    this.#sql.forget.run(id);
  }
}

export const toReceipt = ({ recipient, delivered_at, seen_at, acknowledged_at, said, late }: ReceiptRow): Receipt => ({
  recipient,
  delivered_at: msOrNull(delivered_at),
  seen_at: msOrNull(seen_at),
  acknowledged_at: msOrNull(acknowledged_at),
  said,
  isLate: late === 1,
});
