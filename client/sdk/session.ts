/**
 * The parts of a hub, put together: what is done when a line is welcomed, when somebody begins to listen, and at the end.
 *
 * A caller registers handlers when it is connected already. So the first registration, at the end of its turn, says
 * hello anew where the hub must know of it, goes to the cursor that the caller wants to resume from, and has the
 * backlog told. Whoever connects with `receives` spares itself the second hello: events are held until then.
 */
import type { Hello, Message, OperationName, Params, Result, Welcome } from "../../shared/index.ts";
import { Acks } from "./acks.ts";
import { Backlog, waitingFor } from "./backlog.ts";
import { Calls } from "./calls.ts";
import { Claims } from "./claims.ts";
import { atEndOfTurn, sleep } from "./clock.ts";
import { Connection } from "./connection.ts";
import { serves } from "./connectionStates.ts";
import { HubClosed, HubUnreachable } from "./errors.ts";
import type { HubEvents, Resync, StateChange } from "./events.ts";
import { KeepAlive } from "./keepAlive.ts";
import { Listeners } from "./listeners.ts";
import { withKey } from "./methods.ts";
import type { Config } from "./options.ts";
import { PresenceWatch } from "./presenceWatch.ts";
import { Stream } from "./stream.ts";
import { Tasks } from "./tasks.ts";

/** How long a goodbye waits for calls that are under way. */
const DRAIN_MS = 5_000;

export class Session {
  readonly config: Config;
  readonly keepAlive = new KeepAlive();
  readonly listeners = new Listeners<HubEvents>();
  readonly calls: Calls;
  readonly acks: Acks;
  readonly tasks: Tasks;
  readonly claims: Claims;
  readonly stream: Stream;
  readonly connection: Connection;
  readonly #presence: PresenceWatch;
  readonly #backlog: Backlog;
  /** Whether the messages that wait are still to be told. */
  #backlogIsDue: boolean;
  #workers = 0;
  #isHeard = false;
  #listenIsDue = false;
  #begun = false;
  #presenceBegun = false;
  /** A resync that nobody could hear of yet. */
  #resync: Resync | undefined;
  #onReady: ((error?: Error) => void) | undefined;
  #onDown = () => {};
  #lost: string | undefined;

  constructor(config: Config) {
    this.config = config;
    const { clock, as, resume, receives } = config;
    const flush = () => this.connection.flushSoon();
    this.calls = new Calls(clock, this.keepAlive, flush);
    this.acks = new Acks(clock, flush);
    const call = this.call.bind(this);
    this.tasks = new Tasks(
      call,
      clock,
      (message) => this.#shows(message),
      (waiting) => this.#wait(waiting),
    );
    this.claims = new Claims((id) => this.call("get", { id }));
    this.stream = new Stream(this.acks, this.listeners, [this.tasks.observe, this.claims.observe]);
    const list = (next: string | undefined) => this.call("list", waitingFor(as as string, next));
    this.#backlog = new Backlog(this.stream, clock, list, this.listeners.report);
    const tellPresence = (presence: HubEvents["presence"]) => this.listeners.emit("presence", presence);
    this.#presence = new PresenceWatch(() => this.call("presence", {}), tellPresence);
    this.#backlogIsDue = as !== undefined && resume === undefined;
    if (receives) this.stream.hold();
    if (receives && resume !== undefined) this.stream.rewind(resume);
    this.connection = this.#connection();
  }

  /** @throws HubUnreachable when nobody answers in time; what the hub refused. */
  open(): Promise<void> {
    const { clock, timeout_ms, url, keep_alive } = this.config;
    if (keep_alive) this.keepAlive.hold();
    const opened = new Promise<void>((resolve, reject) => {
      const giveUp = clock.after(timeout_ms, () => this.#onReady?.(new HubUnreachable(url, this.#lost)));
      this.keepAlive.hold();
      this.#onReady = (error) => {
        this.#onReady = undefined;
        giveUp();
        this.keepAlive.release();
        if (!error) return resolve();
        reject(error);
        void this.connection.close();
      };
    });
    this.connection.start();
    return opened;
  }

  call<N extends OperationName>(operation: N, params: Params<N>, timeoutMs?: number): Promise<Result<N>> {
    const waitMs = (params as { wait_ms?: number }).wait_ms ?? 0;
    const withinMs = (timeoutMs ?? this.config.call_timeout_ms) + waitMs;
    return this.calls.call(operation, withKey(operation, params), withinMs) as Promise<Result<N>>;
  }

  /** Who listens has changed: everything that comes until the end of this turn counts as one change. */
  listenSoon(): void {
    if (this.stream.isHeard) this.stream.hold();
    if (this.#listenIsDue) return;
    this.#listenIsDue = true;
    atEndOfTurn(() => {
      this.#listenIsDue = false;
      this.#listen();
    });
  }

  /** A worker begins, and needs events and the process until it is over. @returns what says that it is. */
  engage(): () => void {
    this.#workers++;
    this.keepAlive.hold();
    this.connection.listen();
    return () => {
      this.#workers--;
      this.keepAlive.release();
      this.connection.listen();
    };
  }

  /** Waits for what is under way and says goodbye. */
  async close(): Promise<void> {
    if (serves(this.connection.state)) {
      const down = new Promise<void>((resolve) => {
        this.#onDown = resolve;
      });
      await Promise.race([this.calls.idle(), down, sleep(this.config.clock, DRAIN_MS)]);
    }
    await this.connection.close();
  }

  #connection(): Connection {
    const { calls, acks, stream } = this;
    return new Connection(this.config, {
      calls,
      acks,
      stream,
      presence: this.#presence,
      hello: () => this.#hello(),
      welcomed: (welcome, hello) => this.#welcomed(welcome, hello),
      wantsEvents: () => this.#wantsEvents(),
      changed: (change) => this.#changed(change),
      ended: (error) => this.#ended(error),
    });
  }

  #hello(): Hello {
    const { as, run, token, client, about, scope } = this.config;
    return {
      ...(as !== undefined && { claude_id: as }),
      run,
      ...(token !== undefined && { token }),
      client,
      ...(about !== undefined && { about }),
      scope,
      ...(this.stream.cursor !== undefined && { resume: this.stream.cursor }),
      ...this.#wishes(),
    };
  }

  #wishes(): { receives: boolean; presence: boolean } {
    return {
      receives: this.config.receives || this.stream.receives,
      presence: this.config.presence || this.listeners.has("presence"),
    };
  }

  #welcomed(welcome: Welcome, hello: Hello): void {
    const isLost = hello.resume !== undefined && !welcome.resumed;
    this.stream.begin(welcome);
    if (!this.#begun) this.tasks.begin(welcome.cursor);
    else if (isLost) this.tasks.restart(welcome.cursor);
    this.#begun = true;
    this.#presenceBegun = false;
    this.#beginPresence(hello);
    if (isLost) this.#resynced({ reason: welcome.reason ?? "pruned", cursor: welcome.cursor });
  }

  #resynced(resync: Resync): void {
    this.claims.restart();
    this.#backlogIsDue = this.config.as !== undefined;
    this.#resync = resync;
    if (this.#isHeard) this.#tellState();
  }

  #listen(): void {
    if (!this.#isHeard && this.stream.isHeard) this.#beginListening();
    this.#reopenWhereNeeded();
    if (this.connection.hello) this.#beginPresence(this.connection.hello);
    if (this.#isHeard) {
      this.#tellState();
      if (!this.#backlog.isReading) this.stream.release();
    }
    this.connection.listen();
  }

  #beginListening(): void {
    this.#isHeard = true;
    const { resume, receives } = this.config;
    if (receives || resume === undefined) return;
    this.stream.rewind(resume);
    this.tasks.begin(resume);
    this.connection.reopen();
  }

  /** The hub must know who wants what. */
  #reopenWhereNeeded(): void {
    const told = this.connection.hello;
    const wishes = this.#wishes();
    if (told && ((wishes.receives && !told.receives) || (wishes.presence && !told.presence))) this.connection.reopen();
  }

  #beginPresence(hello: Hello): void {
    if (this.#presenceBegun || !hello.presence || !this.listeners.has("presence")) return;
    this.#presenceBegun = true;
    this.#presence.begin();
  }

  /** What is known anew: that the log was lost, then the messages that wait. */
  #tellState(): void {
    const resync = this.#resync;
    this.#resync = undefined;
    if (resync) this.listeners.emit("resync", resync);
    if (!this.#backlogIsDue || !this.stream.receives) return;
    this.#backlogIsDue = false;
    this.#backlog.tell();
  }

  #changed(change: StateChange): void {
    this.#lost = change.reason ?? this.#lost;
    this.listeners.emit("state", change);
    if (serves(change.state)) this.#onReady?.();
    else this.#onDown();
  }

  #ended(error: Error | undefined): void {
    this.#onReady?.(error ?? new HubClosed());
    this.calls.end(error ?? new HubClosed());
    this.tasks.end(error ?? new HubClosed());
    this.stream.end(error);
    if (this.config.keep_alive) this.keepAlive.release();
  }

  #wantsEvents(): boolean {
    const asked = this.tasks.waiting > 0 || this.#workers > 0;
    return asked || this.stream.isHeard || this.listeners.has("presence");
  }

  /** Whether the stream tells of a message. */
  #shows({ from_claude, to_claude }: Message): boolean {
    const { as, scope } = this.config;
    return scope === "all" || from_claude === as || to_claude === as;
  }

  #wait(isWaiting: boolean): void {
    if (isWaiting) this.keepAlive.hold();
    else this.keepAlive.release();
    this.connection.listen();
  }
}
