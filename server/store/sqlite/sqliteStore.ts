/** The SQLite store as the hub sees it: every call crosses to the database's thread and back. */
import { resolve as absolute } from "node:path";
import type { TemplateSummary } from "../../../shared/template.ts";
import type { Moment } from "../../clock.ts";
import type { Reader } from "../../core/view.ts";
import type {
  CommitResult,
  Counts,
  ListFilter,
  LogSlice,
  MessageSlice,
  ScheduleFilter,
  ScheduleSlice,
  Store,
  Timing,
  Workload,
} from "../store.ts";
import type { StoreCommand } from "../storeCommands.ts";
import type { FileOptions } from "./file/openFile.ts";
import { writeBackupAside } from "./thread/backupThread.ts";
import { CommitWait } from "./thread/commitWait.ts";
import { decodeResult, encodeCommands } from "./thread/commitWire.ts";
import { DatabaseThread, type ThreadFailed } from "./thread/databaseThread.ts";
import { ReadQueue } from "./thread/readQueue.ts";
import type { HostCalls } from "./thread/wire.ts";

interface SqliteStoreOptions extends FileOptions {
  /** Told why the database's thread ended by itself, and why another one could not start. */
  failed?: ThreadFailed | undefined;
}

export class SqliteStore implements Store {
  readonly #file: string;
  readonly #thread: DatabaseThread;
  readonly #reads = new ReadQueue();
  readonly #wait = new CommitWait();
  #lists: Promise<unknown> = Promise.resolve();
  /** Settles once all that have begun are written. */
  #backups: Promise<unknown> = Promise.resolve();

  constructor({ file, failed, ...options }: SqliteStoreOptions) {
    this.#file = absolute(file); // the process may go to another directory
    this.#thread = new DatabaseThread({ ...options, file: this.#file }, failed);
  }

  open(now: number) {
    return this.#thread.open(now);
  }

  async commit(commands: readonly StoreCommand[], at: Moment): Promise<CommitResult> {
    const encoded = encodeCommands(commands);
    return decodeResult(
      await this.#wait.for(commands.length, (polls) => this.#thread.call("commit", encoded, at, polls)),
    );
  }

  get(id: string, now: number): Promise<string | null> {
    return this.#read("get", id, now);
  }

  attempts(id: string): Promise<string | null> {
    return this.#read("attempts", id);
  }

  receipts(id: string): Promise<string | null> {
    return this.#read("receipts", id);
  }

  /**
   * Long lists go one after the other, each in steps, so that neither commits nor short lists wait for more than one
   * step.
   */
  async list(filter: ListFilter, now: number, isWanted = () => true): Promise<MessageSlice> {
    const atOnce = await this.#read("listAtOnce", filter, now);
    if (atOnce) return atOnce;
    const listed = this.#lists.then(() => this.#listInSteps(filter, now, isWanted));
    this.#lists = listed.catch(() => undefined);
    return listed;
  }

  async #listInSteps(filter: ListFilter, now: number, isWanted: () => boolean): Promise<MessageSlice> {
    if (!isWanted()) return NOT_READ;
    let slice = await this.#read("list", filter, now);
    while (slice === null && isWanted()) slice = await this.#read("listOn");
    if (slice === null) await this.#read("endList");
    return slice ?? NOT_READ;
  }

  log(reader: Reader, after: number, maxEvents: number, maxBytes: number): Promise<LogSlice> {
    return this.#read("log", reader, after, maxEvents, maxBytes);
  }

  counts(): Promise<Counts> {
    return this.#read("counts");
  }

  template(name: string): Promise<string | null> {
    return this.#read("template", name);
  }

  templates(): Promise<TemplateSummary[]> {
    return this.#read("templates");
  }

  workload(names: readonly string[]): Promise<Workload[]> {
    return this.#read("workload", names);
  }

  schedule(name: string): Promise<string | null> {
    return this.#read("schedule", name);
  }

  schedules(filter: ScheduleFilter): Promise<ScheduleSlice> {
    return this.#read("schedules", filter);
  }

  timetable(): Promise<Timing[]> {
    return this.#read("timetable");
  }

  backup(file: string): Promise<void> {
    const written = writeBackupAside(this.#file, file);
    const over = this.#backups;
    this.#backups = Promise.allSettled([over, written]).then(() => undefined);
    return written;
  }

  async close(): Promise<void> {
    await this.#backups;
    await this.#thread.close();
  }

  #read<M extends keyof HostCalls>(method: M, ...args: Parameters<HostCalls[M]>): Promise<ReturnType<HostCalls[M]>> {
    return this.#reads.read(() => this.#thread.call(method, ...args));
  }
}

/** The answer of a list that nobody wants any more. */
const NOT_READ: MessageSlice = { messages: [], next: null, seq: 0 };
