/**
 * The database's thread, as the hub's thread calls it.
 *
 * One that ends by itself, as when its memory is full, is one more way in which the database cannot be used for a moment:
 * what waits is refused, and the next call starts another thread on the same log. One that cannot start is tried again
 * after a while.
 */
import { Worker } from "node:worker_threads";
import { type HubError, isRefusal } from "../../../../shared/errors.ts";
import type { FileOptions, HostOptions } from "../file/openFile.ts";
import { storeClosed, threadEnded, unavailable } from "../unavailable.ts";
import { builtFile } from "./builtFile.ts";
import { fromFailure, type HostCalls, type ThreadOpened, type ThreadReply, type ThreadRequest } from "./wire.ts";

/** Told why a thread ended by itself, and why another one could not start. */
export type ThreadFailed = (what: string, error: unknown) => void;

interface Waiting {
  resolve: (value: never) => void;
  reject: (error: Error) => void;
}

/** How soon another thread is started when one could not. */
const RETRY_START_MS = 1_000;

export class DatabaseThread {
  readonly #options: FileOptions;
  readonly #failed: ThreadFailed | undefined;
  readonly #waiting = new Map<number, Waiting>();
  #worker: Worker | undefined;
  #openedAt = 0;
  /** The log's, from opening to closing. */
  #epoch: string | undefined;
  /** Whether the file could not be read or written when it was last used. */
  #isSuspect = false;
  /** Why the last thread could not start, and when that was, on a clock that is never set. */
  #refusal: { at: number; error: HubError } | undefined;
  #nextId = 1;

  constructor(options: FileOptions, failed?: ThreadFailed) {
    this.#options = options;
    this.#failed = failed;
  }

  /** Starts the first thread. @throws Error with a sentence for a person when the file cannot be used. */
  async open(now: number) {
    this.#openedAt = now;
    const opened = await this.#start();
    this.#epoch = opened.position.epoch;
    return opened;
  }

  /** Has the host do something. @throws HubError as the host does, and `storage_unavailable`. */
  call<M extends keyof HostCalls>(method: M, ...args: Parameters<HostCalls[M]>): Promise<ReturnType<HostCalls[M]>> {
    return new Promise((resolve, reject) => {
      const worker = this.#worker ?? this.#startAgain();
      const id = this.#nextId++;
      this.#waiting.set(id, { resolve, reject });
      worker.postMessage({ id, method, args } as ThreadRequest);
    });
  }

  async close(): Promise<void> {
    this.#epoch = undefined;
    const worker = this.#worker;
    if (!worker) return;
    const gone = new Promise<void>((resolve) => worker.once("exit", () => resolve()));
    await this.call("close").catch((error) => {
      if (this.#worker) throw error; // otherwise it had ended already, or ended before it could answer
    });
    await gone;
  }

  #start() {
    const state = { openedAt: this.#openedAt, epoch: this.#epoch, isSuspect: this.#isSuspect };
    const workerData: HostOptions = { ...this.#options, ...state };
    // What it leaves open is meant to stay.
    const worker = new Worker(builtFile("databaseWorker.js"), { workerData, trackUnmanagedFds: false });
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
        this.#failed?.("the database's thread", error);
      });
      worker.on("exit", () => {
        if (this.#worker !== worker) return;
        this.#worker = undefined;
        this.#fail(threadEnded());
      });
    });
  }

  /** @throws HubError when it is not the time for it. */
  #startAgain(): Worker {
    if (this.#epoch === undefined) throw storeClosed();
    if (this.#refusal && performance.now() - this.#refusal.at < RETRY_START_MS) throw this.#refusal.error;
    this.#start().catch((error) => this.#failed?.("starting the database's thread again", error));
    return this.#worker as Worker;
  }

  /** The thread could not open the file: whoever waits for it, and whoever comes within a while, is told why. */
  #refuse(why: string): void {
    const error = unavailable(why);
    this.#refusal = { at: performance.now(), error };
    this.#worker = undefined; // it ends by itself
    this.#fail(error);
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
    this.#isSuspect ||= isRefusal(error, "storage_unavailable");
    waiting?.reject(error);
  }

  #fail(error: Error): void {
    for (const waiting of this.#waiting.values()) waiting.reject(error);
    this.#waiting.clear();
  }
}
