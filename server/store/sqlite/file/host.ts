/**
 * The side of the SQLite store that touches the file: the states of that file, and commits. Runs inside the worker
 * thread; single-threaded and synchronous, so that a read sees whole batches only.
 *
 * After a failed fsync nothing is ever tried again on the same connection: the host is broken until it has opened and
 * checked the file again. Where the file or its write-ahead log was replaced, it touches nothing any more.
 */

import type { Moment } from "../../../clock.ts";
import type { CheckWhole } from "../../engine/templates/whole.ts";
import type { CommitResult, Opened } from "../../store.ts";
import type { StoreCommand } from "../../storeCommands.ts";
import { BetterSqlite } from "../betterSqlite.ts";
import type { SqliteReads } from "../tables/sqliteReads.ts";
import { busy, fileReplaced, full, storeClosed, unavailable } from "../unavailable.ts";
import { locate } from "./database.ts";
import { HubLock } from "./lock.ts";
import {
  closeAll,
  closeWhole,
  type HostOptions,
  type HostParts,
  type OpenFile,
  openFirst,
  reopenFile,
} from "./openFile.ts";
import { unusable } from "./unusable.ts";

const RETRY_OPEN_MS = 1_000;
const DAMAGED = /^SQLITE_(CORRUPT|NOTADB)/;

type State =
  | { kind: "open"; open: OpenFile }
  /** After an I/O error: no connection. Opened again with the next call, but not before `retryAt` (on a steady clock). */
  | { kind: "broken"; retryAt: number }
  /** The file, or the write-ahead log beside it, was removed or replaced. */
  | { kind: "replaced" }
  | { kind: "closed" };

export class SqliteHost {
  readonly #options: HostOptions;
  readonly #file: string;
  readonly #lock: HubLock;
  readonly #parts: HostParts;
  readonly #epoch: string;
  /** What whoever runs the hub should know of the opening. */
  readonly #notes: string[] = [];
  #state: State;

  constructor(options: HostOptions, checkWhole: CheckWhole) {
    this.#options = options;
    this.#file = locate(options.file);
    this.#lock = new HubLock(this.#file);
    this.#parts = { lock: this.#lock, checkWhole, tell: (note) => void this.#notes.push(note) };
    try {
      const open = openFirst(this.#file, options, this.#parts);
      this.#state = { kind: "open", open };
      this.#epoch = open.epoch;
    } catch (error) {
      this.#lock.release();
      throw unusable(this.#file, error);
    }
  }

  get opened(): Opened {
    const { epoch, engine, ledger, reads } = this.#use();
    return {
      position: { epoch, head: engine.head, floor: ledger.retention.floor },
      instances: reads.instances(this.#options.openedAt),
      thereUntil: ledger.clock.noted(),
      notes: this.#notes,
    };
  }

  commit(commands: readonly StoreCommand[], at: Moment): CommitResult {
    const open = this.#use();
    this.#assertInPlace(open);
    this.#begin(open);
    return this.#execute(open, commands, at);
  }

  /** Where another program is writing (SQLITE_BUSY), there is nothing to undo. */
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
   * Notes in the lock file how far the hub's log has come. Nobody's answer waits for it: what is durable stays so when it
   * fails or comes late; the lock file then remembers an earlier position, and catches up later.
   */
  noteProgress(): void {
    if (this.#state.kind !== "open") return;
    const { open } = this.#state;
    try {
      this.#lock.note(open.epoch, open.engine.head);
    } catch {
      // only a roll-back to a position after the one remembered would go unnoticed
    }
  }

  /** A file that cannot be read says so like one that cannot be written. Nothing more is written to a damaged one. */
  read<M extends keyof SqliteReads>(method: M, args: Parameters<SqliteReads[M]>): ReturnType<SqliteReads[M]> {
    const open = this.#use();
    try {
      return (open.reads[method] as (...args: unknown[]) => ReturnType<SqliteReads[M]>)(...args);
    } catch (error) {
      if (!(error instanceof BetterSqlite.SqliteError)) throw error;
      if (DAMAGED.test(error.code)) this.#abandon(open);
      throw unavailable(error.code);
    }
  }

  /** Never reopens the file: a list ends with it. */
  endList(): void {
    if (this.#state.kind === "open") this.#state.open.reads.endList();
  }

  close(): void {
    this.endList();
    if (this.#state.kind === "open") {
      const { open } = this.#state;
      const isInPlace = open.files.check();
      this.noteProgress();
      if (isInPlace) closeWhole(open);
      else closeAll(open);
    }
    this.#state = { kind: "closed" };
    this.#lock.release();
  }

  #use(): OpenFile {
    switch (this.#state.kind) {
      case "open":
        return this.#state.open;
      case "broken":
        return this.#openAgain(this.#state.retryAt);
      case "replaced":
        throw fileReplaced();
      case "closed":
        throw storeClosed();
    }
  }

  #openAgain(notBefore: number): OpenFile {
    if (performance.now() < notBefore) throw unavailable("it is recovering");
    try {
      const open = reopenFile(this.#file, this.#options, this.#parts, this.#epoch);
      this.#state = { kind: "open", open };
      return open;
    } catch (error) {
      this.#state = { kind: "broken", retryAt: performance.now() + RETRY_OPEN_MS };
      throw unavailable((error as Error).message);
    }
  }

  #assertInPlace(open: OpenFile): void {
    if (open.files.check()) return;
    this.#abandon(open, { kind: "replaced" });
    throw fileReplaced();
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
      open.engine.reset(open.tally());
    } catch {
      this.#abandon(open); // whatever stands in the way, opening the file anew settles it
    }
  }

  #abandon(open: OpenFile, state: State = { kind: "broken", retryAt: 0 }): void {
    this.#state = state;
    closeAll(open);
  }
}
