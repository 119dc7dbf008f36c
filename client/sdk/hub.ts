import {
  assertKnown,
  assertOptions,
  type OperationName,
  type Params,
  type Presence,
  type Result,
} from "../../shared/index.ts";
import { assertHandler, assertKind, assertParams, assertSender } from "./asserts.ts";
import { atCaller } from "./atCaller.ts";
import { CALL_RULES, type CallArguments, type CallOptions, Operations } from "./calls/methods.ts";
import type { ConnectionState } from "./connection/connectionStates.ts";
import type { HubEvent, HubEvents } from "./events/events.ts";
import type { Handler } from "./events/listeners.ts";
import { HubParts } from "./hubParts.ts";
import type { Config } from "./options.ts";
import { everybody } from "./presence/presencePages.ts";
import { Task } from "./sent/task.ts";
import type { TaskHandler, WorkPlace } from "./work/attempt.ts";
import { assertWorkable, Worker, type WorkOptions } from "./work/worker.ts";

/** What a chat can have besides its text. */
type ChatOptions = Omit<Params<"send">, "to_claude" | "task" | "type" | "template" | "params">;

/**
 * A connection to a hub, kept up until `close()`. Every operation is a method; calls made while the line is down wait
 * for it, and one that was under way when it broke is repeated once, with the same key.
 *
 * @example
 * const hub = await connect({ as: "ada" });
 * hub.on("new", ({ message }) => console.log(message.from_claude, message.task));
 */
export class Hub extends Operations {
  readonly #parts: HubParts;
  readonly #workers = new Set<Worker<Hub>>();
  #closed: Promise<void> | undefined;

  private constructor(parts: HubParts) {
    super();
    this.#parts = parts;
  }

  /** @see connect */
  static async open(config: Config): Promise<Hub> {
    const parts = new HubParts(config);
    try {
      await parts.open();
    } catch (error) {
      throw atCaller(error);
    }
    return new Hub(parts);
  }

  /** The name of this instance; undefined for an observer. */
  get as(): string | undefined {
    return this.#parts.config.as;
  }

  /** The id of this life of the process, which claims belong to. */
  get run(): string {
    return this.#parts.config.run;
  }

  get state(): ConnectionState {
    return this.#parts.connection.state;
  }

  /** Every event up to here was handed over to whoever listened: where a later `connect({ resume })` goes on. */
  get cursor(): string | undefined {
    return this.#parts.cursor;
  }

  override async call<N extends OperationName>(
    operation: N,
    ...[params = {} as Params<N>, options]: CallArguments<N>
  ): Promise<Result<N>> {
    assertParams(operation, params);
    if (options !== undefined) assertOptions(options, CALL_RULES);
    try {
      return await this.#parts.call(operation, params, options?.timeout_ms);
    } catch (error) {
      throw atCaller(error);
    }
  }

  /**
   * Sends a task or a chat.
   *
   * @returns when it is stored; `result()` of what is returned waits for its end.
   * @throws HubError when a field is refused, or too much waits; TypeError when there is no sender; otherwise as `call`
   *   does.
   * @example const task = await hub.send({ to_claude: "ada", task: "add 2 and 2", priority: "high" });
   * @example await hub.send({ template: "scrape", params: { feed: "https://example.org/rss" } });
   */
  async send(params: Params<"send">, options?: CallOptions): Promise<Task> {
    assertParams("send", params);
    assertSender(this.as, params);
    const { sent } = this.#parts;
    sent.sends();
    return new Task(await this.call("send", params, options), sent.waits);
  }

  /**
   * Sends a chat: something to read, not to do.
   *
   * @param to a name, `*` for everybody, or `@` and a role.
   * @throws as `send` does.
   * @example await hub.chat("ada", "the dashboard is up", { thread_id: "release-7" });
   */
  chat(to: string, text: string, more?: ChatOptions): Promise<Task> {
    return this.send({ ...more, to_claude: to, task: text, type: "chat" });
  }

  /**
   * Who is there, however many they are: all pages of the operation's answer, as of the first one's version.
   *
   * @throws as `call` does.
   * @example const { instances } = await hub.presence();
   */
  presence(params?: Params<"presence">, options?: CallOptions): Promise<Presence> {
    return everybody((page) => this.call("presence", page, options), params);
  }

  /**
   * Calls `handler` for everything of a kind. The first handler for new messages is given those that waited first, as
   * `new` events marked `backlog`; so is one that comes after a time without any, for those that came meanwhile. A
   * message counts as delivered when its handlers were started.
   *
   * @param kind an event's kind, `event` for all of them, `presence`, `resync`, `state` or `error`.
   * @returns what takes the handler away again.
   * @throws TypeError when there is no such kind, or the handler is no function.
   * @example
   * const off = hub.on("completed", ({ message }) => console.log(message.id, message.result));
   * off();
   */
  on<K extends keyof HubEvents>(kind: K, handler: Handler<HubEvents[K]>): () => void {
    assertKind(kind);
    assertHandler("on", handler);
    const off = this.#parts.listeners.on(kind, handler);
    this.#parts.audience.changed();
    return () => {
      off();
      this.#parts.audience.changed();
    };
  }

  /**
   * Every event from now on, those that waited first. An event is acknowledged when it was taken: whoever is slow to
   * take them slows the whole stream down, and nothing is lost. What is left behind untaken is given to the next
   * listener, if it still waits.
   *
   * @param options `signal` ends it.
   * @throws HubRefused when the hub closed the connection for good; TypeError for an unknown option.
   * @example for await (const event of hub.events()) console.log(event.kind, event.message.id);
   */
  events(options: { signal?: AbortSignal } = {}): AsyncIterableIterator<HubEvent, undefined> {
    assertKnown(options, { signal: true });
    const { signal } = options;
    const abort = () => void events.return();
    const events = this.#parts.stream.iterate(() => {
      signal?.removeEventListener("abort", abort);
      this.#parts.audience.changed();
    });
    if (this.state === "closed" || signal?.aborted) events.end();
    else signal?.addEventListener("abort", abort, { once: true });
    this.#parts.audience.changed();
    return events;
  }

  /**
   * Claims tasks and does them, `concurrency` at a time, until the worker is closed. The hub keeps the lease of each as
   * long as this run is connected.
   *
   * A worker may die at any point, and nothing has to be cleaned up. Killed before its claim is answered, or while the
   * handler runs, or before the outcome is stored: the lease runs out after the hub's grace time, the task goes back,
   * and the next attempt, which may be another worker's, begins anew; so a handler's effects should bear repetition, or
   * carry `attempt`. Killed after the outcome is stored: the task has ended, and nobody does it again. Cut off and back
   * again, it learns what it missed, and whatever it still reports on a lost attempt changes nothing.
   *
   * @throws TypeError when the handler is no function, when this hub has no name, or for an invalid option.
   * @example
   * const worker = hub.work(async (task, { signal, progress }) => {
   *   progress(10, "downloading");
   *   return sha256(await download(task.task, signal));
   * }, { concurrency: 4, drain_ms: 30_000 });
   * await worker.close(); // what is under way is finished, or given back after 30 seconds
   */
  work(handler: TaskHandler<Hub>, options: WorkOptions = {}): Worker<Hub> {
    assertHandler("work", handler);
    assertWorkable(this.as, options);
    const disengage = this.#parts.audience.engage();
    const worker = new Worker<Hub>(this.#workPlace(), handler, options);
    this.#workers.add(worker);
    const over = () => {
      this.#workers.delete(worker);
      disengage();
    };
    void worker.ended.then(over);
    return worker;
  }

  /**
   * From now on the open connection keeps a Node process alive; calls under way and workers always do.
   *
   * @example
   * const hub = await connect({ as: "ada", keep_alive: false });
   * hub.ref(); // as if keep_alive had been true
   */
  ref(): void {
    this.#parts.ref();
  }

  /**
   * From now on a Node process may end although the connection is open.
   *
   * @example hub.unref(); // ends with the last answer
   */
  unref(): void {
    this.#parts.unref();
  }

  /**
   * Closes the workers and says goodbye. Tasks under way are finished first, within each worker's `drain_ms`, and then
   * calls are answered, within 5 seconds. Where the hub has been out of reach for 5 seconds, no longer;
   * handlers that still run are aborted, and left behind after their worker's `abort_ms`. Calls without an answer fail
   * with HubClosed.
   *
   * @returns when all that is over; it never fails.
   * @example await hub.close();
   */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    const drained = Promise.all([...this.#workers].map((worker) => worker.close()));
    await this.#parts.whileReachable(drained);
    await this.#parts.close();
    for (const worker of this.#workers) void worker.close({ force: true }); // nobody learns what they do now
    await drained;
  }

  #workPlace(): WorkPlace<Hub> {
    const { config, claims, connection, listeners } = this.#parts;
    return {
      hub: this,
      as: config.as,
      clock: config.clock,
      claims,
      call: this.#parts.call.bind(this.#parts),
      keepsOrder: () => connection.transport !== "long_poll",
      askAgain: () => connection.whenRepeatable(() => connection.reopen()),
      whileReachable: (wait) => this.#parts.whileReachable(wait),
      report: listeners.report,
      tell: listeners.tell,
    };
  }
}
