/**
 * The hub without its transports: storage, delivery, presence and time, wired together.
 *
 * Order of one commit's consequences: the batch is durable; its pages go out; its callers are answered. All of that happens
 * in one turn, so a caller's answer and the page that tells of it share a frame where they are for one connection.
 */
import { type Cursor, formatCursor } from "../../shared/cursor.ts";
import { LIVENESS } from "../../shared/defaults.ts";
import type { LostReason } from "../../shared/event.ts";
import { type Bounds, LIMITS, type Limits } from "../../shared/limits.ts";
import { shuttingDown } from "../../shared/refusals.ts";
import type { Clock } from "../clock.ts";
import type { LeasePolicy } from "../core/message.ts";
import { Delivery } from "../delivery/delivery.ts";
import type { Session } from "../delivery/session.ts";
import { PresenceBoard } from "../presence/presence.ts";
import type { Report } from "../report.ts";
import { GroupCommit } from "../store/groupCommit.ts";
import { type DoneOf, NOTHING } from "../store/outcomes.ts";
import type { CommitResult, Opened, Store } from "../store/store.ts";
import type { PresenceTransition, StoreCommand, StoreCommandOf } from "../store/storeCommands.ts";
import { Alarm } from "./background/alarm.ts";
import { Pruner, type RetentionPolicy } from "./background/pruner.ts";
import { Scheduler } from "./background/scheduler.ts";
import { WriteRetries } from "./background/writeRetries.ts";
import { type RatePolicy, Rates } from "./caller/rates.ts";
import { Cancellation } from "./cancellation.ts";
import { ClaimWaiters } from "./claims/claimWaiters.ts";
import { LastAsked } from "./claims/lastAsked.ts";
import { OncePerTurn } from "./oncePerTurn.ts";
import { ProgressThrottle } from "./progressThrottle.ts";
import { RunPages } from "./runPages.ts";
import { Runs } from "./runs.ts";
import { RunViews } from "./runViews.ts";

/** How connections are watched. Durations in milliseconds. */
export interface Liveness {
  /** How often the hub asks whether a line is alive. */
  pingMs: number;
  /** How long an instance whose last connection broke may stay away before it is offline. */
  leaveMs: number;
}

interface HubOptions {
  store: Store;
  clock: Clock;
  lease: LeasePolicy;
  version: string;
  liveness: Liveness;
  /** What the store holds senders to. */
  bounds: Bounds;
  rates: RatePolicy;
  retention: RetentionPolicy;
  report: Report;
}

export class Hub {
  readonly store: Store;
  readonly clock: Clock;
  readonly version: string;
  readonly liveness: Liveness;
  /** As clients are told. */
  readonly limits: Limits;
  readonly rates: Rates;
  readonly delivery: Delivery;
  readonly presence: PresenceBoard;
  readonly runs: Runs;
  readonly scheduler: Scheduler;
  readonly claimWaiters: ClaimWaiters;
  readonly lastAsked = new LastAsked();
  readonly runPages = new RunPages();
  readonly runViews = new RunViews();
  readonly progress: ProgressThrottle;
  readonly leasePolicy: LeasePolicy;
  readonly #lengthening = new OncePerTurn<string, unknown>();
  /** Ends once the hub closes. */
  readonly closing = new Cancellation();
  readonly #commits: GroupCommit;
  readonly #pruner: Pruner;
  readonly #writes: WriteRetries;
  readonly #alarm: Alarm;

  /** Opens the store and starts. @throws Error with a sentence for a person when the store cannot be opened. */
  static async start(options: HubOptions): Promise<Hub> {
    const opened = await options.store.open(options.clock.now());
    for (const note of opened.notes ?? []) options.report.warn(note);
    const hub = new Hub(options, opened);
    try {
      await hub.submit({ op: "lapse", forMs: LIVENESS.reconnect_spread_ms + options.lease.graceMs });
      await hub.scheduler.start();
    } catch (error) {
      hub.#alarm.stop();
      hub.scheduler.close();
      await options.store.close();
      throw error;
    }
    hub.presence.start(opened.instances, opened.thereUntil);
    hub.#alarm.start();
    hub.#pruner.start();
    return hub;
  }

  private constructor(options: HubOptions, { position, thereUntil }: Opened) {
    const { store, clock, lease, report } = options;
    this.store = store;
    this.clock = clock;
    this.version = options.version;
    this.liveness = options.liveness;
    this.limits = { ...LIMITS, ...options.bounds };
    this.rates = new Rates(clock, options.rates);
    this.leasePolicy = lease;
    this.claimWaiters = new ClaimWaiters(clock);
    this.progress = new ProgressThrottle(clock);
    this.#commits = new GroupCommit({
      store,
      clock,
      committed: (result) => this.#committed(result),
      failed: () => this.#alarm.lookAfter(),
    });
    this.#writes = new WriteRetries({ clock, closes: () => this.closing.cancelled, report });
    const failed = (error: unknown) => report.failed("reading the log", error);
    this.delivery = new Delivery({ store, ...position, failed });
    const record = (transitions: readonly PresenceTransition[]) =>
      this.#writes.attempt("keeping presence", this.#commits.ride({ op: "presence", transitions }));
    this.presence = new PresenceBoard({
      store,
      clock,
      leaveMs: options.liveness.leaveMs,
      record,
      report,
    });
    this.scheduler = new Scheduler({
      clock,
      timetable: () => store.timetable(),
      submit: (command) => this.submit<(typeof command)["op"]>(command),
      report,
    });
    this.#pruner = new Pruner({
      clock,
      policy: options.retention,
      thereUntil,
      submit: (command) => this.submit(command),
      pruned: ({ floor, instances }) => {
        this.delivery.raiseFloor(floor);
        this.presence.forget(instances);
      },
      forgets: (seenBefore) => this.presence.forgets(seenBefore),
      report,
    });
    this.runs = new Runs({
      clock,
      graceMs: lease.graceMs,
      write: (run, command) =>
        void this.#writes.write({ what: "leases", key: `leases ${run}`, submit: () => this.submit(command()) }),
    });
    this.#alarm = new Alarm({ clock, wake: () => this.#wake(), report });
  }

  /** @throws HubError `shutting_down` once the hub closes. */
  assertOpen(): void {
    if (this.closing.cancelled) throw shuttingDown();
  }

  /** The cursor at a position of the log. */
  cursorAt(seq: number): string {
    return formatCursor(this.delivery.epoch, seq);
  }

  get head(): string {
    return this.cursorAt(this.delivery.head);
  }

  get floor(): number {
    return this.delivery.floor;
  }

  /** Why the log does not go on from a cursor; undefined: it does. */
  lost({ epoch, seq }: Cursor): LostReason | undefined {
    if (epoch !== this.delivery.epoch) return "epoch";
    if (seq > this.delivery.head) return "ahead";
    return seq < this.floor ? "pruned" : undefined;
  }

  /**
   * Commits one command.
   *
   * @throws HubError when it is refused, or could not be made durable.
   */
  submit<Op extends StoreCommand["op"]>(command: StoreCommandOf<Op>): Promise<DoneOf<Op>> {
    return this.#commits.submit(command);
  }

  /** Lengthens what a name holds without a run. */
  lengthen(claude_id: string): Promise<unknown> {
    const forMs = this.leasePolicy.detachedMs;
    return this.#lengthening.call(claude_id, () => this.submit({ op: "lengthen", claude_id, forMs }));
  }

  /** Flushes presence into the next batch, so that a chat to `*` sent next reaches everyone who is here. */
  flushPresence(): void {
    this.presence.flush();
    this.#commits.board();
  }

  /** Takes a reader's acknowledgement: its window opens, and what it received is delivered. */
  acknowledge(session: Session, seq: number): void {
    const ids = this.delivery.acknowledge(session, seq);
    if (session.own !== null) this.delivered(session.own, ids);
  }

  /** A run resumes from `seq`: what it was sent up to there, on a line that broke or as a page, counts as delivered. */
  resumed(reader: string, run: string, seq: number): void {
    this.delivered(reader, this.runPages.resumed(reader, run, seq));
  }

  /** The messages have reached the reader's client. */
  delivered(reader: string, ids: readonly string[]): void {
    if (ids.length === 0) return;
    void this.#writes.write({
      what: "delivered",
      key: `delivered ${reader}`,
      ids,
      submit: (all) => this.#commits.ride({ op: "delivered", reader, ids: all }),
    });
  }

  /** Commits a command that nobody waits for, as soon as the store can take it, if it is still due then. */
  submitOwn(command: StoreCommand, isDue: () => boolean): void {
    void this.#writes.write({
      what: command.op,
      key: command,
      submit: () => (isDue() ? this.submit(command) : Promise.resolve(NOTHING)),
    });
  }

  /** Takes no more work, lets waiting callers go, settles what was submitted, closes the store. */
  async close(): Promise<void> {
    if (this.closing.cancelled) return;
    this.closing.cancel();
    this.claimWaiters.close();
    this.scheduler.close();
    this.#alarm.stop();
    this.presence.stop();
    this.#pruner.stop();
    void this.#writes.attempt("noting the time", this.submit({ op: "note_time" }));
    await this.#commits.drain();
    await this.store.close();
  }

  #committed(result: CommitResult): void {
    const { entries, wakeAt } = result;
    if (this.delivery.committed(result)) this.claimWaiters.committed(entries);
    else this.claimWaiters.callAll();
    this.#alarm.arm(wakeAt);
  }

  /** Has the store do what is due, but not before it knows which runs are back. */
  #wake(): Promise<unknown> {
    this.#writes.retryNow();
    return this.submit({ op: "wake" });
  }
}
