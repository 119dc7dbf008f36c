/** Reads the log: what everybody, or one reader, may see of it. */
import type Database from "better-sqlite3";
import type { EventKind } from "../../../../shared/event.ts";
import { EVENT_KINDS } from "../../../../shared/vocabulary.ts";
import { addressesOf, type Reader } from "../../../core/view.ts";
import { assemble, BODIES, replayedBodies } from "../../json/eventJson.ts";
import { LogSliceMaker } from "../../logSlice.ts";
import type { LogEntry, LogSlice } from "../../store.ts";
import { indexedFor, indexedUpTo } from "./logIndex.ts";

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

type ForAddresses = (db: Database.Database, addresses: number) => Database.Statement;

const indexed: ForAddresses = (db, addresses) =>
  db.prepare(`${ENTRY} WHERE l.seq IN (${indexedFor(addresses)}) ORDER BY l.seq`).raw();

/** Behind the index: looked through. */
const unindexed: ForAddresses = (db, addresses) => {
  const named = Array.from({ length: addresses }, (_, i) => `:a${i}`).join(", ");
  const mayBeSeen = `l.from_claude = :a0 OR l.to_claude IN (${named}, '*')`;
  return db.prepare(`${ENTRY} WHERE l.seq > :after AND (${mayBeSeen}) ORDER BY l.seq LIMIT :limit`).raw();
};

/** How many addresses readers have: what these need is compiled once. */
const USUAL_ADDRESSES = [1, 2, 3, 4];

const prepareAll = (db: Database.Database) => ({
  all: db.prepare(`${ENTRY} WHERE l.seq > :after ORDER BY l.seq LIMIT :limit`).raw(),
  indexed: USUAL_ADDRESSES.map((addresses) => indexed(db, addresses)),
  unindexed: USUAL_ADDRESSES.map((addresses) => unindexed(db, addresses)),
});

export class LogReader {
  readonly #db: Database.Database;
  readonly #sql: ReturnType<typeof prepareAll>;

  constructor(db: Database.Database) {
    this.#db = db;
    this.#sql = prepareAll(db);
  }

  /** What the reader may see past `after`, in a log that ends at `head`. */
  read(reader: Reader, after: number, bounds: { maxEvents: number; maxBytes: number }, head: number): LogSlice {
    const { maxEvents, maxBytes } = bounds;
    const limit = maxEvents + 1;
    const rows = reader === null ? this.#sql.all.iterate({ after, limit }) : this.#visible(reader, after, limit, head);
    const slice = new LogSliceMaker(maxEvents, maxBytes);
    for (const row of rows as Iterable<EntryRow>) if (!slice.take(toEntry(row))) return slice.cut();
    return slice.end(head);
  }

  *#visible(reader: string, after: number, limit: number, head: number): Generator<unknown> {
    const addresses = addressesOf(reader);
    const count = addresses.length;
    const named = Object.fromEntries(addresses.map((address, i) => [`a${i}`, address]));
    const end = indexedUpTo(head);
    if (after < end) {
      const statement = this.#sql.indexed[count - 1] ?? indexed(this.#db, count);
      yield* statement.iterate({ ...named, after, limit });
    }
    const statement = this.#sql.unindexed[count - 1] ?? unindexed(this.#db, count);
    yield* statement.iterate({ ...named, after: Math.max(after, end), limit });
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
