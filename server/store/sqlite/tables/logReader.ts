/** Reads the log: what everybody, or one reader, may see of it. */
import type Database from "better-sqlite3";
import type { EventKind } from "../../../../shared/event.ts";
import { EVENT_KINDS } from "../../../../shared/vocabulary.ts";
import { addressesOf, type Reader } from "../../../core/view.ts";
import { assemble, BODIES, replayedBodies } from "../../json/eventJson.ts";
import { LogSliceMaker } from "../../logSlice.ts";
import type { LogEntry, LogSlice } from "../../store.ts";
import { notedFor, notedUpTo } from "./logNames.ts";

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

interface ReaderStatements {
  /** Of the entries whose names are noted. */
  noted: Database.Statement;
  /** Of those after them. */
  recent: Database.Statement;
}

function statementsFor(db: Database.Database, addresses: number): ReaderStatements {
  const named = Array.from({ length: addresses }, (_, i) => `:a${i}`).join(", ");
  return {
    noted: db.prepare(`${ENTRY} WHERE l.seq IN (${notedFor(addresses)}) ORDER BY l.seq`).raw(),
    recent: db
      .prepare(
        `${ENTRY} WHERE l.seq > :after AND (l.from_claude = :a0 OR l.to_claude IN (${named}, '*')) ORDER BY l.seq LIMIT :limit`,
      )
      .raw(),
  };
}

const USUAL_ADDRESSES = [1, 2, 3, 4];

export class LogReader {
  readonly #db: Database.Database;
  readonly #all: Database.Statement;
  /** By how many addresses the reader has, less one. */
  readonly #usual: readonly ReaderStatements[];

  constructor(db: Database.Database) {
    this.#db = db;
    this.#all = db.prepare(`${ENTRY} WHERE l.seq > :after ORDER BY l.seq LIMIT :limit`).raw();
    this.#usual = USUAL_ADDRESSES.map((addresses) => statementsFor(db, addresses));
  }

  /** What the reader may see past `after`, in a log that ends at `head`. */
  read(reader: Reader, after: number, bounds: { maxEvents: number; maxBytes: number }, head: number): LogSlice {
    const { maxEvents, maxBytes } = bounds;
    const limit = maxEvents + 1;
    const rows = reader === null ? this.#all.iterate({ after, limit }) : this.#visible(reader, after, limit, head);
    const slice = new LogSliceMaker(maxEvents, maxBytes);
    for (const row of rows as Iterable<EntryRow>) if (!slice.take(toEntry(row))) return slice.cut();
    return slice.end(head);
  }

  *#visible(reader: string, after: number, limit: number, head: number): Generator<unknown> {
    const addresses = addressesOf(reader);
    const named = Object.fromEntries(addresses.map((address, i) => [`a${i}`, address]));
    const { noted, recent } = this.#usual[addresses.length - 1] ?? statementsFor(this.#db, addresses.length);
    const end = notedUpTo(head);
    if (after < end) yield* noted.iterate({ ...named, after, limit });
    yield* recent.iterate({ ...named, after: Math.max(after, end), limit });
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
