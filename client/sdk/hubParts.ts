/** The parts of a hub, put together, opened and closed. */
import type { Hello, Message, OperationName, Params, Result } from "../../shared/index.ts";
import { Calls } from "./calls/calls.ts";
import { type Caller, insist } from "./calls/insist.ts";
import { withKey } from "./calls/methods.ts";
import { sleep } from "./clock.ts";
import { Connection } from "./connection/connection.ts";
import { KeepAlive } from "./connection/keepAlive.ts";
import type { SessionStart } from "./connection/transports/transport.ts";
import { HubClosed, HubUnreachable } from "./errors.ts";
import { Acks } from "./events/acks.ts";
import { Audience } from "./events/audience.ts";
import { Backlog } from "./events/backlog.ts";
import type { HubEvents, StateChange } from "./events/events.ts";
import { Listeners } from "./events/listeners.ts";
import { ReceivedReports } from "./events/receivedReports.ts";
import { Standstill } from "./events/standstill.ts";
import { Stream } from "./events/stream.ts";
import type { Config } from "./options.ts";
import { everybody } from "./presence/presencePages.ts";
import { PresenceWatch } from "./presence/presenceWatch.ts";
import { SentMessages } from "./sent/sentMessages.ts";
import { Claims } from "./work/claims.ts";
import { Holdings } from "./work/holdings.ts";
import { Orphans } from "./work/orphans.ts";

/** How long a goodbye waits for the hub, and for a line to it. */
const GOODBYE_MS = 5_000;

export class HubParts {
  readonly config: Config;
  readonly keepAlive = new KeepAlive();
  readonly listeners = new Listeners<HubEvents>();
  readonly sent: SentMessages;
  readonly claims: Claims;
  readonly stream: Stream;
  readonly audience: Audience;
  readonly connection: Connection;
  readonly #calls: Calls;
  readonly #holdings: Holdings;
  readonly #orphans: Orphans;
  readonly #standstill: Standstill;
  readonly #acks: Acks;
  readonly #caller: Caller;
  readonly #receivedReports: ReceivedReports;
  readonly #backlog: Backlog;
  readonly #presence: PresenceWatch;
  #isKept = false;
  #onReady: ((error?: Error) => void) | undefined;
  #onDown = () => {};
  #lost: string | undefined;

  constructor(config: Config) {
    this.config = config;
    const { clock } = config;
    const flush = () => this.connection.flushSoon();
    this.#calls = new Calls(clock, this.keepAlive, flush, (claimed) => void this.#giveBack(claimed as Message | null));
    this.#holdings = new Holdings(() => this.connection.listen());
    this.#acks = new Acks(clock, flush);
    this.#caller = { clock, call: this.call.bind(this) };
    this.#standstill = this.#newStandstill();
    this.sent = this.#newSentMessages();
    this.claims = new Claims(
      clock,
      (id) => this.call("get", { id }),
      () => this.#standstill.watch(),
    );
    this.#orphans = new Orphans(this.#caller, config.as, this.#holdings, this.#calls, this.listeners.report);
    this.stream = this.#newStream();
    const tellPresence = (presence: HubEvents["presence"]) => this.listeners.emit("presence", presence);
    this.#presence = new PresenceWatch(() => everybody((page) => this.call("presence", page)), tellPresence);
    this.#receivedReports = new ReceivedReports(this.#caller, this.listeners.report);
    this.#backlog = this.#newBacklog();
    this.audience = this.#newAudience();
    this.connection = this.#newConnection();
  }

  /** @throws HubUnreachable when nobody answers in time; what the hub refused. */
  open(): Promise<void> {
    const { clock, timeout_ms, url, keep_alive } = this.config;
    if (keep_alive) this.ref();
    this.keepAlive.hold();
    const opened = new Promise<void>((resolve, reject) => {
      const giveUp = clock.after(timeout_ms, () => this.#onReady?.(new HubUnreachable(url, this.#lost)));
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

  /** The open connection keeps the process alive. */
  ref(): void {
    if (this.#isKept || this.connection.state === "closed") return;
    this.#isKept = true;
    this.keepAlive.hold();
  }

  unref(): void {
    if (!this.#isKept) return;
    this.#isKept = false;
    this.keepAlive.release();
  }

  /** Every event up to here was handed over. */
  get cursor(): string | undefined {
    return this.audience.isYetToResume ? this.config.resume : this.stream.position;
  }

  call<N extends OperationName>(
    operation: N,
    params: Params<N>,
    timeoutMs?: number,
    signal?: AbortSignal,
  ): Promise<Result<N>> {
    this.audience.precede();
    const waitMs = (params as { wait_ms?: number }).wait_ms ?? 0;
    const withinMs = (timeoutMs ?? this.config.call_timeout_ms) + waitMs;
    const keyed = withKey(operation, params);
    const answer = this.#calls.call(operation, keyed, withinMs, signal) as Promise<Result<N>>;
    return this.#holdings.follow(operation, params, answer);
  }

  /** Nobody waits for this task any more: the caller was told that the claim failed. */
  async #giveBack(task: Message | null): Promise<void> {
    await undefined; // whoever was answered at the same time with the same claim holds it by then
    if (task === null || this.#holdings.has(task)) return;
    const { clock, call_timeout_ms } = this.config;
    const call = (operation: OperationName, params: object) =>
      this.#calls.callQuietly(operation, params, call_timeout_ms);
    const quietly = { clock, call: call as Caller["call"] };
    await insist(quietly, "release", { id: task.id, attempt: task.attempt }).catch(() => {}); // it has it, or is gone
  }

  /** Waits for something that needs the hub, no longer than the hub can be reached. */
  async whileReachable(wait: Promise<unknown>): Promise<void> {
    let isOver = false;
    const over = wait.then(() => {
      isOver = true;
    });
    const restMs = () => GOODBYE_MS - this.connection.downMs;
    while (!isOver && restMs() > 0) await Promise.race([over, sleep(this.config.clock, restMs())]);
  }

  /** Waits for calls that are under way and says goodbye. */
  async close(): Promise<void> {
    this.keepAlive.hold();
    this.#receivedReports.flush();
    if (this.connection.isUp) await this.#answered();
    await this.connection.close();
    this.keepAlive.release();
  }

  /** Resolves when all calls are answered, or there is no point in waiting for that. */
  async #answered(): Promise<void> {
    const down = new Promise<void>((resolve) => {
      this.#onDown = resolve;
    });
    await Promise.race([this.#calls.idle(), down, sleep(this.config.clock, GOODBYE_MS)]);
  }

  #newStandstill(): Standstill {
    return new Standstill({
      clock: this.config.clock,
      isStalled: () => this.stream.isStalled,
      waiting: () => [this.sent.waits, this.claims].filter(({ any }) => any),
    });
  }

  #newSentMessages(): SentMessages {
    return new SentMessages({
      config: this.config,
      caller: this.#caller,
      keepAlive: this.keepAlive,
      standstill: this.#standstill,
      audience: () => this.audience,
      connection: () => this.connection,
    });
  }

  #newStream(): Stream {
    const { listeners, sent, claims } = this;
    return new Stream({
      acks: this.#acks,
      listeners,
      observers: [sent.waits.observe, claims.observe],
      news: () => this.#backlog,
    });
  }

  #newBacklog(): Backlog {
    const { as, about } = this.config;
    const addresses = as === undefined ? [] : [as, ...(about?.roles ?? []).map((role) => `@${role}`)];
    return new Backlog(addresses, this.stream, {
      caller: this.#caller,
      taken: (id) => this.#receivedReports.add(id),
      unreceived: () => this.#receivedReports.unknown,
      report: this.listeners.report,
    });
  }

  #newAudience(): Audience {
    const { config, keepAlive, listeners, stream, sent } = this;
    return new Audience({
      config,
      keepAlive,
      listeners,
      stream,
      backlog: this.#backlog,
      presence: this.#presence,
      connection: () => this.connection,
      followed: () => sent.kinds,
      rewound: (cursor) => {
        stream.rewind(cursor);
        sent.rewind(cursor);
      },
    });
  }

  #newConnection(): Connection {
    return new Connection(this.config, {
      calls: this.#calls,
      acks: this.#acks,
      stream: this.stream,
      presence: this.#presence,
      departing: () => this.#receivedReports.flush(),
      hello: () => this.#hello(),
      welcomed: (session, hello) => this.#welcomed(session, hello),
      subscribed: (cursor) => this.sent.begin(this.connection.hello ?? {}, cursor, false),
      wantsEvents: () => this.audience.wantsEvents || this.sent.waits.any,
      holdsTasks: () => this.#holdings.any,
      changed: (change) => this.#changed(change),
      ended: (error) => this.#ended(error),
    });
  }

  #hello(): Hello {
    const { as, run, token, client, about, scope } = this.config;
    return {
      claude_id: as,
      run,
      token,
      client,
      about,
      scope,
      resume: this.stream.cursor,
      ...this.audience.subscription,
    };
  }

  #welcomed(session: SessionStart, hello: Hello): void {
    const { cursor, resumed, reason } = session;
    const isLost = !resumed && (hello.resume !== undefined || reason !== undefined);
    this.stream.begin(session);
    this.sent.begin(hello, cursor, isLost);
    if (isLost) this.claims.restart();
    this.#orphans.welcomed(cursor);
    this.audience.welcomed(isLost ? { reason: reason ?? "pruned", cursor } : undefined);
  }

  #changed(change: StateChange): void {
    this.#lost = change.reason ?? this.#lost;
    this.listeners.emit("state", change);
    if (this.connection.isUp) this.#onReady?.();
    else this.#onDown();
  }

  #ended(error: Error | undefined): void {
    const why = error ?? new HubClosed();
    this.#onReady?.(why);
    this.#calls.end(why);
    this.sent.waits.end(why);
    this.claims.end(error ? "lease_lost" : "closing", error?.message);
    this.stream.end(error);
    this.unref();
  }
}
