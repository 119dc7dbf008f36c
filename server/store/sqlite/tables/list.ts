/**
 * One list of messages, read in steps.
 *
 * A list with filters that no index answers may have to pass over many rows. Each step passes over a bounded
 * number, so that commits go on in between; the connection holds one snapshot for all steps, so that the list
 * is still the state at one position of the log.
 */
import type Database from "better-sqlite3";
import { LIMITS } from "../../../../shared/limits.ts";
import type { LeaseState } from "../../../../shared/message.ts";
import { isReady } from "../../../core/readiness.ts";
import { standing, standingStatus } from "../../../core/receipt.ts";
import { msOrNull } from "../../../iso.ts";
import { leaseState, messageJson } from "../../json/messageJson.ts";
import { type ListCursor, listStart } from "../../listStart.ts";
import type { ListFilter, MessageSlice } from "../../store.ts";
import { COLUMNS, fromRow, type RawRow } from "./rows.ts";
import { RECEIPT, type ReceiptRow, toReceipt } from "./sqliteReceipts.ts";

/** How many rows one step looks at. */
const STEP_ROWS = 1_000;

/** Bytes of JSON that one step reads at most; one message may exceed it. */
const STEP_BYTES = 256 * 1024;

const FILTERS = ["to_claude", "from_claude", "status", "type", "thread_id", "failure", "chain_id"] as const;

/** What a list looks at in each message; in a chat to everyone, also a recipient's receipt. */
type Glance = { place: ListCursor; delivered_at: string | null } & Partial<ReceiptRow> & {
    [F in (typeof FILTERS)[number] | "claimed_run" | "lease_until"]: string | null;
  } & Parameters<typeof isReady>[0];

interface Reading {
  now: number;
  graceMs: number;
}

/** A connection that lists are read on, one at a time. There are few kinds of list: each is compiled once. */
export class ListConnection {
  readonly #db: Database.Database;
  readonly #prepared = new Map<string, Database.Statement>();

  constructor(db: Database.Database) {
    this.#db = db;
  }

  prepare(sql: string): Database.Statement {
    const statement = this.#prepared.get(sql) ?? this.#db.prepare(sql);
    this.#prepared.set(sql, statement);
    return statement;
  }

  /** What is read from now on is the state at one moment. */
  hold(): void {
    this.#db.exec("BEGIN");
  }

  /** Ends that, unless an I/O error has ended it already. */
  letGo(): void {
    if (this.#db.inTransaction) this.#db.exec("COMMIT");
  }
}

export class MessageList {
  readonly #connection: ListConnection;
  readonly #filter: ListFilter;
  readonly #reading: Reading;
  readonly #seq: number;
  readonly #scan: Database.Statement;
  readonly #scanValues: string[];
  readonly #full: Database.Statement;
  readonly #messages: string[] = [];
  #cursor: ListCursor;
  #bytes = 0;
  #skipped = 0;
  #last: ListCursor = 0;

  /** @throws HubError `invalid_params` when `next` is not the cursor of a list. */
  constructor(connection: ListConnection, filter: ListFilter, reading: Reading, seq: number) {
    this.#filter = filter;
    this.#reading = reading;
    this.#seq = seq;
    this.#cursor = listStart(filter);
    this.#connection = connection;
    const { from, where, values, place, key } = scanOf(filter);
    const [after, order] = filter.order === "asc" ? [">", "ASC"] : ["<", "DESC"];
    this.#scanValues = values;
    this.#scan = connection.prepare(
      `SELECT ${place} AS place, claimed_run, lease_until, claim_rank, ${FILTERS.join(", ")}${from} ${where} ${place} ${after} ?
       ORDER BY ${place} ${order} LIMIT ${STEP_ROWS}`,
    );
    this.#full = connection.prepare(`SELECT ${COLUMNS.join(", ")} FROM coordination_messages WHERE ${key} = ?`).raw();
    connection.hold();
  }

  /** Reads on for one step. @returns the whole list when it is complete, null before. */
  step(): MessageSlice | null {
    const glances = this.#scan.all(...this.#scanValues, this.#cursor) as Glance[];
    const stepEnd = this.#bytes + STEP_BYTES;
    for (const seen of glances) {
      const glance = standingGlance(seen);
      if (this.#bytes > stepEnd) return null;
      if (this.#matches(glance) && this.#isFull(glance)) return this.#finish(`${this.#last}`);
      this.#cursor = glance.place;
    }
    return glances.length < STEP_ROWS ? this.#finish(null) : null;
  }

  /** Lets go of the snapshot. */
  close(): void {
    this.#connection.letGo();
  }

  #matches(glance: Glance): boolean {
    const { lease, delivered, ready } = this.#filter;
    if (lease !== undefined && leaseOf(glance) !== lease) return false;
    if (delivered !== undefined && (glance.delivered_at !== null) !== delivered) return false;
    if (ready !== undefined && isReady(glance) !== ready) return false;
    return FILTERS.every((field) => this.#filter[field] === undefined || this.#filter[field] === glance[field]);
  }

  /** Takes a message that matches. @returns whether it no longer fits the list. */
  #isFull({ place, ...receipt }: Glance): boolean {
    if (this.#skipped < this.#filter.offset) {
      this.#skipped++;
      return false;
    }
    if (this.#messages.length === this.#filter.limit) return true;
    const { now, graceMs } = this.#reading;
    const state = fromRow(this.#full.get(place) as RawRow);
    const shown = isReceipt(receipt) ? standing(state, toReceipt(receipt)) : state;
    const json = messageJson(shown, now, graceMs);
    const bytes = Buffer.byteLength(json);
    if (this.#messages.length > 0 && this.#bytes + bytes > LIMITS.list_bytes) return true;
    this.#messages.push(json);
    this.#bytes += bytes;
    this.#last = place;
    return false;
  }

  #finish(next: string | null): MessageSlice {
    this.close();
    return { messages: this.#messages, next, seq: this.#seq };
  }
}

function leaseOf({ status, type, claimed_run, lease_until }: Glance): LeaseState | null {
  return leaseState({ status, type, claimed_run, lease_until: msOrNull(lease_until) });
}

const isReceipt = (glance: Partial<ReceiptRow>): glance is ReceiptRow => glance.recipient !== undefined;

/** With the status that the message has for the recipient whose receipt comes with it. */
function standingGlance(glance: Glance): Glance {
  if (!isReceipt(glance)) return glance;
  return { ...glance, status: standingStatus(glance.status, toReceipt(glance)) };
}

/** What a list looks through, in the order of `place`; `key` finds the message at a place. */
interface Scan {
  readonly from: string;
  readonly where: string;
  readonly values: string[];
  readonly place: string;
  readonly key: string;
}

const scanOf = (filter: ListFilter): Scan =>
  filter.open_for === undefined
    ? { from: ", delivered_at FROM coordination_messages", ...narrowest(filter), place: "rowid", key: "rowid" }
    : { ...OPEN, values: [filter.open_for] };

const OPEN = {
  from: `, ${RECEIPT.map((field) => `r.${field}`).join(", ")}
    FROM coordination_receipts r INDEXED BY coordination_receipts_open CROSS JOIN coordination_messages m`,
  where: "WHERE m.id = r.message_id AND r.recipient = ? AND r.acknowledged_at IS NULL AND",
  place: "r.message_id",
  key: "id",
};

/** The narrowest index for a filter, as the beginning of a WHERE. `#matches` checks the rest. */
function narrowest({ thread_id, chain_id, to_claude, from_claude, status, failure, lease }: ListFilter) {
  if (chain_id !== undefined) {
    return { where: "INDEXED BY coordination_messages_chain WHERE chain_id = ? AND", values: [chain_id] };
  }
  if (thread_id !== undefined) return { where: "WHERE thread_id = ? AND", values: [thread_id] };
  if (to_claude !== undefined && status === "pending") {
    return {
      where: "INDEXED BY coordination_messages_pending WHERE status = 'pending' AND to_claude = ? AND",
      values: [to_claude],
    };
  }
  if (failure !== undefined || status === "failed") {
    return { where: "INDEXED BY coordination_messages_failed WHERE status = 'failed' AND", values: [] };
  }
  if (status === "pending")
    return { where: "INDEXED BY coordination_messages_pending WHERE status = 'pending' AND", values: [] };
  if (status === "in_progress" || lease !== undefined) {
    return { where: "INDEXED BY coordination_messages_held WHERE status = 'in_progress' AND", values: [] };
  }
  if (to_claude !== undefined)
    return { where: "INDEXED BY coordination_messages_to WHERE to_claude = ? AND", values: [to_claude] };
  if (from_claude !== undefined) {
    return { where: "INDEXED BY coordination_messages_from WHERE from_claude = ? AND", values: [from_claude] };
  }
  return { where: "WHERE", values: [] };
}
