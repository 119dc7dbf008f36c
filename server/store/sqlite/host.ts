/**
 * The side of the SQLite store that touches the file. Runs inside the worker thread; single-threaded and
 * synchronous, so that a read sees whole batches only.
 *
 * States: open, broken after an I/O error, or bereft of its file or its log, which was removed or replaced. A broken host has
 * closed its connection; it answers `storage_unavailable` until it has opened and checked the file again. After a failed
 * fsync nothing is ever tried again on the same connection. A bereft host touches nothing any more.
 */

import { existsSync } from "node:fs";
import type { TemplateSummary } from "../../../shared/template.ts";
import type { Moment } from "../../clock.ts";
import type { Reader } from "../../core/view.ts";
import {
  type ScheduleFilter,
  type ScheduleSlice,
  scheduleJson,
  scheduleSlice,
  type Timing,
} from "../engine/schedules.ts";
import type { CheckWhole } from "../engine/templates/whole.ts";
import type {
  CommitResult,
  Counts,
  KnownInstance,
  ListFilter,
  LogSlice,
  MessageSlice,
  Position,
  StoreCommand,
  Workload,
} from "../store.ts";
import { BetterSqlite } from "./betterSqlite.ts";
import { indexOf, locate, logOf } from "./database.ts";
import { MessageList, type Reading, readAtOnce } from "./list.ts";
import { HubLock } from "./lock.ts";
import {
  closeAll,
  emptyLog,
  type HostOptions,
  inodeOf,
  type Means,
  type OpenFile,
  openFirst,
  reopenFile,
} from "./openFile.ts";
import { bereft, busy, full, unavailable } from "./unavailable.ts";
import { unusable } from "./unusable.ts";

const RETRY_OPEN_MS = 1_000;
const DAMAGED = /^SQLITE_(CORRUPT|NOTADB)/;

export class SqliteHost {
  readonly #options: HostOptions;
  readonly #file: string;
  readonly #lock: HubLock;
  readonly #means: Means;
  readonly #epoch: string;
  #open: OpenFile | undefined;
  /** Since when it waits before it opens the file again, on a clock that is never set. */
  #brokenSince = Number.NEGATIVE_INFINITY;
  #isBereft = false;
  #list: MessageList | undefined;

  constructor(options: HostOptions, checkWhole: CheckWhole) {
    this.#options = options;
    this.#file = locate(options.file);
    this.#lock = new HubLock(this.#file);
    this.#means = { lock: this.#lock, checkWhole };
    try {
      this.#open = openFirst(this.#file, options, this.#means);
      this.#epoch = this.#open.epoch;
    } catch (error) {
      this.#lock.release();
      throw unusable(this.#file, error);
    }
  }

  get position(): Position {
    const { epoch, engine, queries } = this.#use();
    return { epoch, head: engine.head, floor: queries.floor };
  }

  instances(): KnownInstance[] {
    return this.#use().queries.instances();
  }

  commit(commands: readonly StoreCommand[], at: Moment): CommitResult {
    const open = this.#use();
    this.#assertInPlace(open);
    this.#begin(open);
    return this.#execute(open, commands, at);
  }

  /** Nothing is to be undone where another program is writing just then. */
  #begin(open: OpenFile): void {
    try {
      open.begin.run();
    } catch (error) {
      throw (error as { code?: string }).code === "SQLITE_BUSY" ? busy() : this.#failed(open, error);
    }
  }

  #execute(open: OpenFile, commands: readonly StoreCommand[], at: Moment): CommitResult {
    try {
      this.#noticeForeignWrites(open); // from here on nobody else writes
      const result = open.engine.execute(commands, at);
      open.commit.run();
      return result;
    } catch (error) {
      throw this.#failed(open, error);
    }
  }

  /**
   * Looks whether another log was put in the place of ours, and notes in the lock file how far ours has come. Nobody's answer waits for it: what is durable stays so when it
   * fails or comes late; the lock file then remembers an earlier position, and catches up later.
   */
  noteProgress(): void {
    if (!this.#open) return;
    try {
      this.#open.isInPlace = inodeOf(indexOf(this.#file)) === this.#open.indexInode;
      this.#lock.note(this.#open.epoch, this.#open.engine.head);
    } catch {
      // only a roll-back to a position after the one remembered would go unnoticed
    }
  }

  get(id: string, now: number): string | null {
    return this.#read(({ queries }) => queries.get(id, now));
  }

  attempts(id: string): string | null {
    return this.#read(({ queries }) => queries.attempts(id));
  }

  receipts(id: string): string | null {
    return this.#read(({ queries }) => queries.receipts(id));
  }

  /** A list that takes one step only, whatever other list is under way; null: it takes more. */
  listAtOnce(filter: ListFilter, now: number): MessageSlice | null {
    return this.#read(({ engine, db }) => readAtOnce(db, filter, this.#readingAt(now), engine.head));
  }

  /** Starts a list; null: it takes more steps (`listOn`). One list at a time. */
  list(filter: ListFilter, now: number): MessageSlice | null {
    return this.#read(({ engine, reader }) => {
      this.#list?.close();
      this.#list = new MessageList(reader, filter, this.#readingAt(now), engine.head);
      return this.listOn();
    });
  }

  #readingAt(now: number): Reading {
    return { now, graceMs: this.#options.lease.graceMs };
  }

  /** Goes on with the list; null: it takes more steps. */
  listOn(): MessageSlice | null {
    return this.#read(() => {
      if (!this.#list) throw unavailable("it was opened anew while a list was read");
      const slice = this.#list.step();
      if (slice) this.#list = undefined;
      return slice;
    });
  }

  /** Lets go of a list that is not read to its end: its snapshot would keep the log from being emptied. */
  endList(): void {
    this.#list?.close();
    this.#list = undefined;
  }

  log(reader: Reader, after: number, maxEvents: number, maxBytes: number): LogSlice {
    return this.#read(({ queries, engine }) => queries.log(reader, after, maxEvents, maxBytes, engine.head));
  }

  counts(): Counts {
    return { ...this.#use().engine.counts };
  }

  template(name: string): string | null {
    const template = this.#read(({ ledger }) => ledger.templates.get(name));
    return template ? JSON.stringify(template) : null;
  }

  templates(): TemplateSummary[] {
    return this.#read(({ ledger }) => ledger.templates.list());
  }

  workload(names: readonly string[]): Workload[] {
    return this.#read(({ queries, engine }) => queries.workload(names, (name) => engine.waiting(name)));
  }

  schedule(name: string): string | null {
    return this.#read(({ ledger }) => {
      const state = ledger.schedules.get(name);
      return state ? scheduleJson(state) : null;
    });
  }

  schedules({ limit, next = "" }: ScheduleFilter): ScheduleSlice {
    return this.#read(({ ledger }) => scheduleSlice(ledger.schedules.after(next), limit));
  }

  timetable(): Timing[] {
    return this.#read(({ ledger }) => ledger.schedules.timetable());
  }

  close(): void {
    this.endList();
    this.noteProgress();
    if (this.#open) {
      this.#open.reader.close();
      emptyLog(this.#open.db);
      this.#open.db.close();
    }
    this.#open = undefined;
    this.#lock.release();
  }

  /** A file that cannot be read says so like one that cannot be written. Nothing more is written to a damaged one. */
  #read<T>(read: (open: OpenFile) => T): T {
    const open = this.#use();
    try {
      return read(open);
    } catch (error) {
      if (!(error instanceof BetterSqlite.SqliteError)) throw error;
      if (DAMAGED.test(error.code)) this.#abandon(open);
      throw unavailable(error.code);
    }
  }

  #use(): OpenFile {
    if (this.#open) return this.#open;
    if (this.#isBereft) throw bereft();
    if (performance.now() - this.#brokenSince < RETRY_OPEN_MS) throw unavailable("it is recovering");
    try {
      this.#open = reopenFile(this.#file, this.#options, this.#means, this.#epoch);
      return this.#open;
    } catch (error) {
      this.#brokenSince = performance.now();
      throw unavailable((error as Error).message);
    }
  }

  /**
   * What is written to files without a name is gone with the hub. The log itself is only looked for: whoever asks Linux
   * for its times makes the next fsync write them.
   */
  #assertInPlace(open: OpenFile): void {
    if (open.isInPlace && existsSync(logOf(this.#file)) && inodeOf(this.#file) === open.inode) return;
    this.#isBereft = true;
    this.#abandon(open);
    throw bereft();
  }

  /** Another connection may have changed our rows by hand: what is kept in memory may be wrong then. */
  #noticeForeignWrites(open: OpenFile): void {
    const version = open.dataVersion.get() as number;
    if (version === open.seenVersion) return;
    open.seenVersion = version;
    open.ledger.forget();
  }

  /** Undoes a failed batch. A full disk leaves the connection usable; any other I/O error does not. */
  #failed(open: OpenFile, error: unknown): Error {
    const code = (error as { code?: string }).code ?? "";
    if (!code.startsWith("SQLITE_")) {
      this.#startOver(open);
      return error as Error;
    }
    if (code === "SQLITE_FULL" || code === "SQLITE_BUSY") {
      this.#startOver(open);
      return code === "SQLITE_FULL" ? full() : busy();
    }
    this.#abandon(open);
    return unavailable(code);
  }

  #startOver(open: OpenFile): void {
    try {
      if (open.db.inTransaction) open.rollback.run();
      open.ledger.forget();
      open.engine.reset(open.queries.tally());
    } catch {
      this.#abandon(open); // whatever stands in the way, opening the file anew settles it
    }
  }

  #abandon(open: OpenFile): void {
    this.#open = undefined;
    this.#list = undefined;
    this.#brokenSince = Number.NEGATIVE_INFINITY;
    closeAll(open);
  }
}
