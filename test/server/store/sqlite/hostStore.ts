/** The host of the SQLite store in the test's own thread: the same work on the same file, without a worker to start. */

import type { Moment } from "../../../../server/clock.ts";
import type { Reader } from "../../../../server/core/view.ts";
import { checkWhole } from "../../../../server/store/engine/templates/whole.ts";
import { SqliteHost } from "../../../../server/store/sqlite/file/host.ts";
import type { FileOptions } from "../../../../server/store/sqlite/file/openFile.ts";
import { writeBackupAside } from "../../../../server/store/sqlite/thread/backupThread.ts";
import { decodeCommands, encodeCommands } from "../../../../server/store/sqlite/thread/commitWire.ts";
import type { ListFilter, MessageSlice, ScheduleFilter, Store } from "../../../../server/store/store.ts";
import type { StoreCommand } from "../../../../server/store/storeCommands.ts";

export class HostStore implements Store {
  readonly #options: FileOptions;
  #host: SqliteHost | undefined;

  constructor(options: FileOptions) {
    this.#options = options;
  }

  async open(openedAt: number) {
    const host = new SqliteHost({ ...this.#options, openedAt }, checkWhole);
    this.#host = host;
    return host.opened;
  }

  async commit(commands: readonly StoreCommand[], at: Moment) {
    return this.#open.commit(decodeCommands(encodeCommands(commands)), at);
  }

  async get(id: string, now: number) {
    return this.#open.read("get", [id, now]);
  }

  async attempts(id: string) {
    return this.#open.read("attempts", [id]);
  }

  async receipts(id: string) {
    return this.#open.read("receipts", [id]);
  }

  async list(filter: ListFilter, now: number): Promise<MessageSlice> {
    let slice = this.#open.read("listAtOnce", [filter, now]) ?? this.#open.read("list", [filter, now]);
    while (slice === null) slice = this.#open.read("listOn", []);
    return slice;
  }

  async log(reader: Reader, after: number, maxEvents: number, maxBytes: number) {
    return this.#open.read("log", [reader, after, maxEvents, maxBytes]);
  }

  async counts() {
    return this.#open.read("counts", []);
  }

  async workload(names: readonly string[]) {
    return this.#open.read("workload", [names]);
  }

  async schedule(name: string) {
    return this.#open.read("schedule", [name]);
  }

  async schedules(filter: ScheduleFilter) {
    return this.#open.read("schedules", [filter]);
  }

  async timetable() {
    return this.#open.read("timetable", []);
  }

  async template(name: string) {
    return this.#open.read("template", [name]);
  }

  async templates() {
    return this.#open.read("templates", []);
  }

  backup(file: string) {
    return writeBackupAside(this.#options.file, file);
  }

  async close() {
    this.#host?.close();
    this.#host = undefined;
  }

  get #open(): SqliteHost {
    if (!this.#host) throw new Error("not open");
    return this.#host;
  }
}
