/**
 * The SQLite store as the hub sees it: every call crosses to the database's thread and back.
 *
 * A thread that ends by itself, as when its memory is full, is one more way in which the database cannot be used for a
 * moment: what waits is refused, and the next call starts another thread on the same log. One that cannot start is tried
 * again after a while.
 */
import { resolve as absolute } from "node:path";
import { Worker } from "node:worker_threads";
import { HubError } from "../../../shared/errors.ts";
import type { Bounds } from "../../../shared/limits.ts";
import type { TemplateSummary } from "../../../shared/template.ts";
import type { Moment } from "../../clock.ts";
import type { LeasePolicy } from "../../core/message.ts";
import type { Reader } from "../../core/view.ts";
import type { ScheduleFilter, ScheduleSlice, Timing } from "../engine/schedules.ts";
import type {
  CommitResult,
  Counts,
  ListFilter,
  LogSlice,
  MessageSlice,
  Store,
  StoreCommand,
  Workload,
} from "../store.ts";
import { writeBackupAside } from "./backup.ts";
import { decodeResult, encodeCommands, type FlatResult } from "./commitWire.ts";
import type { HostOptions } from "./openFile.ts";
import { fromFailure, type ThreadOpened, type ThreadReply, type ThreadRequest } from "./thread.ts";

export interface SqliteStoreOptions {
  /** The database file; made when it is not there. */
  file: string;
  lease: LeasePolicy;
  /** The contract's own when left out. */
  bounds?: Bounds | undefined;
  /** Told why the database's thread ended by itself, and why another one could not start. */
  failed?: ((what: string, error: unknown) => void) | undefined;
}

interface Waiting {
  resolve: (value: never) => void;
  reject: (error: Error) => void;
}

/** How soon another thread is started when one could not. */
const RETRY_START_MS = 1_000;

const here = import.meta.url;
/** What starts in another thread is always the built file. */
const entry = new URL(here.endsWith(".ts") ? "../../../dist/server/store/sqlite/worker.js" : "./worker.js", here);

export class SqliteStore implements Store {
  readonly #options: SqliteStoreOptions;
  readonly #waiting = new Map<number, Waiting>();
  #worker: Worker | undefined;
  /** The log's, while the store is open. */
  #epoch: string | undefined;
  /** Whether the file could not be read or written when it was last used. */
  #isSuspect = false;
  /** Why the last thread could not start, and when that was, on a clock that is never set. */
  #refusal: { at: number; error: HubError } | undefined;
  #nextId = 1;
  #lists: Promise<unknown> = Promise.resolve();
  /** Settles once all that have begun are written. */
  #backups: Promise<unknown> = Promise.resolve();

  constructor(options: SqliteStoreOptions) {
    this.#options = { ...options, file: absolute(options.file) }; // the process may go to another directory
  }

  async open() {
    const opened = await this.#start();
    this.#epoch = opened.position.epoch;
    return opened;
  }

  #start() {
    const { failed, ...options } = this.#options;
    const [epoch, isSuspect] = [this.#epoch, this.#isSuspect];
    const workerData: HostOptions = { ...options, epoch, isSuspect };
    const worker = new Worker(entry, { workerData, trackUnmanagedFds: false }); // what it leaves open is meant to stay
    this.#worker = worker;
    return new Promise<Extract<ThreadOpened, { opened: true }>>((resolve, reject) => {
      worker.once("message", (first: ThreadOpened) => {
        if (!first.opened) {
          this.#refuse(first.message);
          return reject(new Error(first.message));
        }
        worker.on("message", (reply: ThreadReply) => this.#settle(reply));
        resolve(first);
      });
      worker.on("error", (error) => {
        reject(error);
        failed?.("the database's thread", error);
      });
      worker.on("exit", () => {
        if (this.#worker !== worker) return;
        this.#worker = undefined;
        this.#fail(unavailable("failed: repeat in a moment"));
      });
    });
  }

  /** @throws HubError when it is not the time for it. */
  #startAgain(): Worker {
    if (this.#epoch === undefined) throw unavailable("is closed");
    if (this.#refusal && performance.now() - this.#refusal.at < RETRY_START_MS) throw this.#refusal.error;
    this.#start().catch((error) => this.#options.failed?.("starting the database's thread again", error));
    return this.#worker as Worker;
  }

  /** The thread could not open the file: whoever waits for it, and whoever comes within a while, is told why. */
  #refuse(why: string): void {
    const error = unavailable(`cannot be used at the moment (${why})`);
    this.#refusal = { at: performance.now(), error };
    this.#worker = undefined; // it ends by itself
    this.#fail(error);
  }

  async commit(commands: readonly StoreCommand[], at: Moment): Promise<CommitResult> {
    return decodeResult(await this.#call<FlatResult>("commit", encodeCommands(commands), at));
  }

  get(id: string, now: number): Promise<string | null> {
    return this.#call("get", id, now);
  }

  attempts(id: string): Promise<string | null> {
    return this.#call("attempts", id);
  }

  receipts(id: string): Promise<string | null> {
    return this.#call("receipts", id);
  }

  /** Long lists go one after the other, each in steps, so that neither commits nor short lists wait for more than one step. */
  async list(filter: ListFilter, now: number, isWanted = () => true): Promise<MessageSlice> {
    const atOnce = await this.#call<MessageSlice | null>("listAtOnce", filter, now);
    if (atOnce) return atOnce;
    const listed = this.#lists.then(() => this.#listInSteps(filter, now, isWanted));
    this.#lists = listed.catch(() => undefined);
    return listed;
  }

  async #listInSteps(filter: ListFilter, now: number, isWanted: () => boolean): Promise<MessageSlice> {
    if (!isWanted()) return NOT_READ;
    let slice = await this.#call<MessageSlice | null>("list", filter, now);
    while (slice === null && isWanted()) slice = await this.#call<MessageSlice | null>("listOn");
    if (slice === null) await this.#call("endList");
    return slice ?? NOT_READ;
  }

  log(reader: Reader, after: number, maxEvents: number, maxBytes: number): Promise<LogSlice> {
    return this.#call("log", reader, after, maxEvents, maxBytes);
  }

  counts(): Promise<Counts> {
    return this.#call("counts");
  }

  template(name: string): Promise<string | null> {
    return this.#call("template", name);
  }

  templates(): Promise<TemplateSummary[]> {
    return this.#call("templates");
  }

  workload(names: readonly string[]): Promise<Workload[]> {
    return this.#call("workload", names);
  }

  schedule(name: string): Promise<string | null> {
    return this.#call("schedule", name);
  }

  schedules(filter: ScheduleFilter): Promise<ScheduleSlice> {
    return this.#call("schedules", filter);
  }

  timetable(): Promise<Timing[]> {
    return this.#call("timetable");
  }

  backup(file: string): Promise<void> {
    const written = writeBackupAside(this.#options.file, file);
    const over = this.#backups;
    this.#backups = Promise.allSettled([over, written]).then(() => undefined);
    return written;
  }

  async close(): Promise<void> {
    this.#epoch = undefined;
    await this.#backups;
    const worker = this.#worker;
    if (!worker) return;
    const gone = new Promise<void>((resolve) => worker.once("exit", () => resolve()));
    await this.#call("close").catch((error) => {
      if (this.#worker) throw error; // else it had ended already, or ended before it could answer
    });
    await gone;
  }

  #call<T>(method: ThreadRequest["method"], ...args: unknown[]): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const worker = this.#worker ?? this.#startAgain();
      const id = this.#nextId++;
      this.#waiting.set(id, { resolve, reject });
      worker.postMessage({ id, method, args } satisfies ThreadRequest);
    });
  }

  #settle(reply: ThreadReply): void {
    const waiting = this.#waiting.get(reply.id);
    this.#waiting.delete(reply.id);
    if (reply.ok) {
      this.#isSuspect = false;
      waiting?.resolve(reply.value as never);
      return;
    }
    const error = fromFailure(reply.error);
    this.#isSuspect ||= error instanceof HubError && error.code === "storage_unavailable";
    waiting?.reject(error);
  }

  #fail(error: Error): void {
    for (const waiting of this.#waiting.values()) waiting.reject(error);
    this.#waiting.clear();
  }
}

/** What is told to nobody. */
const NOT_READ: MessageSlice = { messages: [], next: null, seq: 0 };

const unavailable = (why: string) => new HubError("storage_unavailable", `The hub's database ${why}`);
