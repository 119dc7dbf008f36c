/** Reads over SQLite. Each is bounded by an index and in size. */
import type Database from "better-sqlite3";
import type { EventKind } from "../../../shared/event.ts";
import type { Status } from "../../../shared/message.ts";
import { EVENT_KINDS } from "../../../shared/vocabulary.ts";
import type { MessageState } from "../../core/message.ts";
import type { Reader } from "../../core/view.ts";
import { addressesOf } from "../../core/view.ts";
import { Backlog, type BacklogCounts } from "../engine/backlog.ts";
import type { Tally } from "../engine/journal.ts";
import type { Ledger } from "../engine/ledger.ts";
import { prunedPast } from "../engine/retention.ts";
import { attemptsJson } from "../json/attemptsJson.ts";
import { assemble, BODIES, replayedBodies } from "../json/eventJson.ts";
import { messageJson } from "../json/messageJson.ts";
import { receiptsJson } from "../json/receiptsJson.ts";
import { LogSliceMaker } from "../logSlice.ts";
import type { Counts, KnownInstance, LogEntry, LogSlice, Workload } from "../store.ts";
import { COLUMNS, fromRow, type RawRow } from "./rows.ts";

const ALL = COLUMNS.join(", ");

/** The kinds of event whose bodies are kept in this way, as SQL lists them. */
const kindsWith = (kept: (typeof BODIES)[EventKind]) =>
  EVENT_KINDS.filter((kind) => BODIES[kind] === kept)
    .map((kind) => `'${kind}'`)
    .join(", ");

/** Entries with what is needed to assemble them: the message, where it still is, and bodies of their own. */
const ENTRY = `SELECT l.seq, l.kind, l.message_id, l.from_claude, l.to_claude, l.envelope,
    m.id IS NOT NULL AS alive,
    CASE WHEN l.kind IN (${kindsWith("task")}) THEN m.task WHEN l.kind IN (${kindsWith("result")}) THEN m.result END AS first,
    CASE WHEN l.kind IN (${kindsWith("task")}) THEN m.context WHEN l.kind IN (${kindsWith("result")}) THEN m.error END AS second,
    CASE WHEN l.kind IN (${kindsWith("own")})
      THEN (SELECT b.bodies FROM coordination_bodies b WHERE b.seq = l.seq) END AS own
  FROM coordination_log l LEFT JOIN coordination_messages m ON m.id = l.message_id`;

/**
 * What one reader may see: sent by it, sent to any of its addresses, sent to everyone. Merged in order, read lazily.
 *
 * @param addresses how many it has: its own name is `:a0`.
 */
const visible = (addresses: number) => `SELECT seq FROM coordination_log WHERE from_claude = :a0 AND seq > :after
  ${Array.from({ length: addresses }, (_, i) => `UNION SELECT seq FROM coordination_log WHERE to_claude = :a${i} AND seq > :after`).join(" ")}
  UNION SELECT seq FROM coordination_log WHERE to_claude = '*' AND seq > :after
  ORDER BY seq LIMIT :limit`;

const visibleStatement = (db: Database.Database, addresses: number) =>
  db.prepare(`${ENTRY} WHERE l.seq IN (${visible(addresses)}) ORDER BY l.seq`).raw();

/** What counts against the bounds, by one of its sides. @see Backlog */
const backlogBy = (side: "to_claude" | "from_claude") =>
  `SELECT ${side}, count(*) FROM coordination_messages INDEXED BY coordination_messages_pending
   WHERE status = 'pending' AND (type = 'task' OR delivered_at IS NULL) AND (to_claude <> '*' OR EXISTS
     (SELECT 1 FROM coordination_receipts WHERE message_id = coordination_messages.id AND delivered_at IS NULL AND NOT late))
   GROUP BY ${side}`;

const prepareAll = (db: Database.Database) => ({
  message: db.prepare(`SELECT ${ALL} FROM coordination_messages WHERE id = ?`).raw(),
  all: db.prepare(`${ENTRY} WHERE l.seq > :after ORDER BY l.seq LIMIT :limit`).raw(),
  visible: [1, 2, 3, 4].map((addresses) => visibleStatement(db, addresses)),
  counts: db.prepare("SELECT status, count FROM coordination_counts").raw(),
  head: db.prepare("SELECT coalesce(max(seq), 0) FROM coordination_log").pluck(),
  waiting: db
    .prepare("SELECT to_claude, count(*) FROM coordination_messages WHERE status = 'pending' GROUP BY to_claude")
    .raw(),
  recipients: db.prepare(backlogBy("to_claude")).raw(),
  senders: db.prepare(backlogBy("from_claude")).raw(),
  held: db
    .prepare(
      "SELECT count(*) FROM coordination_messages WHERE status = 'in_progress' AND type = 'task' AND claimed_by = ?",
    )
    .pluck(),
  instances: db.prepare("SELECT claude_id, state, since, last_seen, beat_ms FROM coordination_instances"),
});

type EntryRow = [
  number,
  EventKind,
  string,
  string,
  string,
  string,
  number,
  string | null,
  string | null,
  string | null,
];

export class Queries {
  readonly #sql: ReturnType<typeof prepareAll>;
  readonly #db: Database.Database;
  readonly #ledger: Ledger;
  readonly #graceMs: number;

  constructor(db: Database.Database, ledger: Ledger, graceMs: number) {
    this.#db = db;
    this.#sql = prepareAll(db);
    this.#ledger = ledger;
    this.#graceMs = graceMs;
  }

  tally(): Tally {
    const counts = Object.fromEntries(this.#sql.counts.all() as [Status, number][]) as Counts;
    const waiting = new Map(this.#sql.waiting.all() as [string, number][]);
    const backlog = new Backlog(() => this.#backlog(), this.#ledger.receipts);
    return { head: this.#sql.head.get() as number, counts, waiting, backlog };
  }

  #backlog(): BacklogCounts {
    const { recipients, senders } = this.#sql;
    const counted = (by: Database.Statement) => new Map(by.all() as [string, number][]);
    return { recipients: counted(recipients), senders: counted(senders) };
  }

  get floor(): number {
    return this.#ledger.retention.floor;
  }

  instances(): KnownInstance[] {
    const rows = this.#sql.instances.all() as (Omit<KnownInstance, "since" | "last_seen"> & {
      since: string;
      last_seen: string;
    })[];
    return rows.map((row) => ({ ...row, since: Date.parse(row.since), last_seen: Date.parse(row.last_seen) }));
  }

  attempts(id: string): string | null {
    const state = this.#message(id);
    return state ? attemptsJson(state, this.#ledger.attempts(id)) : null;
  }

  receipts(id: string): string | null {
    const state = this.#message(id);
    return state ? receiptsJson(state, this.#ledger.receipts.all(id)) : null;
  }

  get(id: string, now: number): string | null {
    const state = this.#message(id);
    return state ? messageJson(state, now, this.#graceMs) : null;
  }

  /** Read from the table: what the ledger caches may be older than another connection's write. */
  #message(id: string): MessageState | undefined {
    const row = this.#sql.message.get(id) as RawRow | undefined;
    return row && fromRow(row);
  }

  workload(names: readonly string[], waitingOf: (name: string) => number): Workload[] {
    return names.map((claude_id) => {
      const waiting = waitingOf(claude_id);
      const oldest = waiting === 0 ? null : this.#ledger.oldestWaiting(claude_id);
      return { claude_id, in_progress: this.#sql.held.get(claude_id) as number, waiting, oldest };
    });
  }

  #visible(reader: string, after: number, limit: number): IterableIterator<unknown> {
    const addresses = addressesOf(reader);
    const named = Object.fromEntries(addresses.map((address, i) => [`a${i}`, address]));
    const statement = this.#sql.visible[addresses.length - 1] ?? visibleStatement(this.#db, addresses.length);
    return statement.iterate({ ...named, after, limit });
  }

  log(reader: Reader, after: number, maxEvents: number, maxBytes: number, head: number): LogSlice {
    const { floor } = this;
    if (after < floor) throw prunedPast(floor);
    const limit = maxEvents + 1;
    const rows = reader === null ? this.#sql.all.iterate({ after, limit }) : this.#visible(reader, after, limit);
    const slice = new LogSliceMaker(maxEvents, maxBytes);
    for (const row of rows as Iterable<EntryRow>) if (!slice.take(toEntry(row))) return slice.cut();
    return slice.end(head);
  }
}

function toEntry([seq, kind, id, from, to, envelope, alive, first, second, own]: EntryRow): LogEntry {
  return {
    seq,
    kind,
    id,
    from,
    to,
    claimable: false,
    json: assemble(envelope, replayedBodies(kind, alive === 0 ? undefined : [first, second], own)),
    bodiesAt: envelope.length,
  };
}
