/**
 * The database's thread, as the hub's thread calls it.
 *
 * One that ends by itself, as when its memory is full, is one more way in which the database cannot be used for a moment:
 * what waits is refused, and the next call starts another thread on the same log. One that cannot start is tried again
 * after a while.
 */
import { Worker } from "node:worker_threads";
import { type HubError, isRefusal } from "../../../../shared/errors.ts";
import { built } from "../built.ts";
import type { FileOptions, HostOptions } from "../file/openFile.ts";
import { storeClosed, threadEnded, unavailable } from "../unavailable.ts";
import { fromFailure, type HostCalls, type ThreadOpened, type ThreadReply, type ThreadRequest } from "./wire.ts";

/** Told why a thread ended by itself, and why another one could not start. */
export type ThreadFailed = (what: string, error: unknown) => void;

interface Waiting {
  resolve: (value: never) => void;
  reject: (error: Error) => void;
}

/** How soon another thread is started when one could not. */
const RETRY_START_MS = 1_000;

type State =
  /** With the epoch of the log once it is known; without it no other thread follows this one. */
  | { kind: "running"; worker: Worker; epoch: string | undefined }
  /** By itself. The next call starts another thread, or is told why before it is time for that, on a clock that is never set. */
  | { kind: "ended"; why: HubError; retryAt: number; epoch: string }
  | { kind: "closed" };

export class DatabaseThread {
  readonly #options: FileOptions;
  readonly #failed: ThreadFailed | undefined;
  readonly #waiting = new Map<number, Waiting>();
  #state: State = { kind: "closed" };
  #openedAt = 0;
  /** Whether the file could not be read or written when it was last used. */
  #isSuspect = false;
  #nextId = 1;

  constructor(options: FileOptions, failed?: ThreadFailed) {
    this.#options = options;
    this.#failed = failed;
  }

  /** Starts the first thread. @throws Error with a sentence for a person when the file cannot be used. */
  async open(now: number) {
    this.#openedAt = now;
    const { worker, opening } = this.#start(undefined);
    const opened = await opening;
    this.#state = { kind: "running", worker, epoch: opened.position.epoch };
    return opened;
  }

  /** Has the host do something. @throws HubError as the host does, and `storage_unavailable`. */
  call<M extends keyof HostCalls>(method: M, ...args: Parameters<HostCalls[M]>): Promise<ReturnType<HostCalls[M]>> {
    return new Promise((resolve, reject) => {
      const worker = this.#runningWorker();
      const id = this.#nextId++;
      this.#waiting.set(id, { resolve, reject });
      worker.postMessage({ id, method, args } as ThreadRequest);
    });
  }

  async close(): Promise<void> {
    const state = this.#state;
    if (state.kind !== "running") {
      this.#state = { kind: "closed" };
      return;
    }
    state.epoch = undefined;
    const gone = new Promise<void>((resolve) => state.worker.once("exit", () => resolve()));
    await this.call("close").catch((error) => {
      if (this.#state.kind === "running") throw error; // otherwise it had ended already, or ended before it could answer
    });
    await gone;
  }

  /** @throws HubError when there is none, and it is not the time for another. */
  #runningWorker(): Worker {
    const state = this.#state;
    if (state.kind === "running") return state.worker;
    if (state.kind === "closed") throw storeClosed();
    if (performance.now() < state.retryAt) throw state.why;
    const { worker, opening } = this.#start(state.epoch);
    opening.catch((error) => this.#failed?.("starting the database's thread again", error));
    return worker;
  }

  /** @param epoch of the log to continue. */
  #start(epoch: string | undefined) {
    const state = { openedAt: this.#openedAt, epoch, isSuspect: this.#isSuspect };
    const workerData: HostOptions = { ...this.#options, ...state };
    // What it leaves open is meant to stay.
    const worker = new Worker(built("bin/databaseThread.cjs"), { workerData, trackUnmanagedFds: false });
    this.#state = { kind: "running", worker, epoch };
    let isOpen = false;
    const opening = new Promise<Extract<ThreadOpened, { opened: true }>>((resolve, reject) => {
      const cannotStart = (error: Error) => {
        this.#ended(worker, unavailable(error.message), performance.now() + RETRY_START_MS);
        reject(error);
      };
      worker.once("message", (first: ThreadOpened) => {
        if (!first.opened) return cannotStart(new Error(first.message));
        isOpen = true;
        worker.on("message", (reply: ThreadReply) => this.#settle(reply));
        resolve(first);
      });
      worker.on("error", (error) => (isOpen ? this.#failed?.("the database's thread", error) : cannotStart(error)));
      worker.on("exit", () =>
        isOpen ? this.#ended(worker, threadEnded()) : cannotStart(new Error("its thread ended before it was open")),
      );
    });
    return { worker, opening };
  }

  /** A thread has ended by itself, or is about to, as it could not open the file: whoever waits for it is told why. */
  #ended(worker: Worker, why: HubError, retryAt = 0): void {
    if (this.#state.kind !== "running" || this.#state.worker !== worker) return;
    const { epoch } = this.#state;
    this.#state = epoch === undefined ? { kind: "closed" } : { kind: "ended", why, retryAt, epoch };
    for (const waiting of this.#waiting.values()) waiting.reject(why);
    this.#waiting.clear();
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
}
