/**
 * Drives the table of `connectionStates.ts`: tells it what happens to the lines, arms its timers, and carries out its
 * actions. What travels on the lines is not looked at here.
 */
import { afterClose, CLOSE, type Hello, type Welcome } from "../../shared/index.ts";
import type { Acks } from "./acks.ts";
import type { Calls } from "./calls.ts";
import { atEndOfTurn } from "./clock.ts";
import { type Action, type ConnectionState, type Occurrence, TRANSITIONS } from "./connectionStates.ts";
import { HubRefused, isRetryable } from "./errors.ts";
import type { StateChange } from "./events.ts";
import { type Config, socketUrl } from "./options.ts";
import type { PresenceWatch } from "./presenceWatch.ts";
import type { Stream } from "./stream.ts";
import { Timetable } from "./timetable.ts";
import { LongPollTransport } from "./transports/longPoll.ts";
import { SocketTransport } from "./transports/socket.ts";
import type { LineClose, Transport, TransportEvents, TransportName } from "./transports/transport.ts";
import { isSame, type Wishes } from "./wishes.ts";

/** How soon to look again whether a line that is full has room. */
const CONGESTED_MS = 10;

/** Where what travels comes from and goes to. */
export interface Ends {
  readonly calls: Calls;
  readonly acks: Acks;
  readonly stream: Stream;
  readonly presence: PresenceWatch;
  /** Something is about to travel: what should go with it has to be asked now. */
  departing(): void;
  /** What to say first on a new line. */
  hello(): Hello;
  /** A session begins. */
  welcomed(welcome: Welcome, hello: Hello): void;
  /** What was subscribed to last is told past this cursor. */
  subscribed(cursor: string): void;
  /** Whether anybody wants events. */
  wantsEvents(): boolean;
  changed(change: StateChange): void;
  /** It is over. An error tells why, unless the caller wished it. */
  ended(error: Error | undefined): void;
}

export class Connection {
  readonly #config: Config;
  readonly #ends: Ends;
  readonly #primary: Transport;
  readonly #fallback: Transport | undefined;
  readonly #timetable: Timetable;
  #state: ConnectionState = "idle";
  #serving: Transport | undefined;
  readonly #hellos = new Map<Transport, Hello>();
  /** The line that was welcomed last, until it is adopted. */
  #welcome: { line: Transport; welcome: Welcome } | undefined;
  #lost: LineClose | undefined;
  #error: Error | undefined;
  /** How many of them are not answered yet. */
  #subscriptions = 0;
  #flushIsDue = false;
  /** Whether the fallback is being asked. */
  #isPolling = false;
  /** What happened and is not dealt with yet, the present one first. */
  readonly #course: Occurrence[] = [];
  #down: Promise<void> = Promise.resolve();
  #onOver = () => {};
  readonly #over = new Promise<void>((resolve) => {
    this.#onOver = resolve;
  });

  constructor(config: Config, ends: Ends) {
    this.#config = config;
    this.#ends = ends;
    const { url, transport, clock, random } = config;
    this.#timetable = new Timetable(clock, random, {
      due: () => this.#happens("due"),
      slow: () => this.#happens("slow"),
    });
    const longPoll = (events: TransportEvents) => new LongPollTransport(url, config, events);
    const socket = (events: TransportEvents) => new SocketTransport(socketUrl(url), clock, events);
    this.#primary = (transport === "long_poll" ? longPoll : socket)(this.#primaryEvents());
    this.#fallback = transport === "auto" ? longPoll(this.#fallbackEvents()) : undefined;
  }

  get state(): ConnectionState {
    return this.#state;
  }

  /** What was said on the line that serves. */
  get hello(): Hello | undefined {
    return this.#serving && this.#hellos.get(this.#serving);
  }

  /** What serves now; undefined while nothing does. */
  get transport(): TransportName | undefined {
    return this.#serving?.name;
  }

  /** Whether calls travel: a line serves. */
  get isUp(): boolean {
    return this.#serving !== undefined;
  }

  start(): void {
    this.#happens("start");
  }

  /** Says hello anew, on a new line; calls under way are asked again. */
  reopen(): void {
    this.#happens("reopen");
  }

  /** Has the line that serves carry what is wanted; the next one is told by its hello. */
  subscribe(wishes: Wishes): void {
    const [line, told] = [this.#serving, this.hello];
    if (!line || !told || isSame(told, wishes)) return;
    const { kinds: _, ...said } = told;
    this.#hellos.set(line, { ...said, ...wishes });
    this.#subscriptions++;
    line.subscribe(wishes);
  }

  /** Says goodbye. @returns when the lines are down. */
  async close(): Promise<void> {
    this.#happens("close");
    await this.#over;
    await this.#down;
  }

  /** Whether events are wanted has changed. */
  listen(): void {
    this.#serving?.listen(this.#ends.wantsEvents());
  }

  /** Sends at the end of this turn, together with whatever else comes until then. */
  readonly flushSoon = (): void => {
    if (this.#flushIsDue || !this.#serving) return;
    this.#flushIsDue = true;
    atEndOfTurn(this.#flush);
  };

  readonly #flush = (): void => {
    this.#flushIsDue = false;
    const line = this.#serving;
    if (!line || this.#timetable.notice) return;
    this.#flushIsDue = true;
    if (line.congested) return void this.#config.clock.after(CONGESTED_MS, this.#flush);
    this.#ends.departing();
    this.#flushIsDue = false;
    const requests = this.#ends.calls.take(line);
    const ack = this.#ends.acks.take();
    if (requests.length > 0 || ack !== undefined) line.send(requests, ack);
  };

  /** What happens while something is being dealt with comes after it. */
  #happens(occurrence: Occurrence): void {
    this.#course.push(occurrence);
    if (this.#course.length > 1) return;
    for (let next: Occurrence | undefined = occurrence; next !== undefined; next = this.#course[0]) {
      try {
        this.#deal(next);
      } finally {
        this.#course.shift();
      }
    }
  }

  #deal(occurrence: Occurrence): void {
    const previous = this.#state;
    const [state, ...actions] = TRANSITIONS[previous][occurrence];
    this.#state = state;
    for (const action of actions) this.#actions[action]();
    if (state !== previous) this.#ends.changed(this.#change(state, previous));
  }

  #change(state: ConnectionState, previous: ConnectionState): StateChange {
    const scheduled = state === "waiting" || state === "polling";
    return {
      state,
      previous,
      transport: this.#serving?.name,
      ...(this.#lost && !this.isUp && { reason: this.#lost.reason }),
      ...(scheduled && { retry_in_ms: this.#timetable.waitMs }),
    };
  }

  readonly #actions: Record<Action, () => void> = {
    attempt: () => {
      this.#timetable.begin();
      this.#primary.attempt();
    },
    greet: () => {
      if (this.#serving === this.#fallback) this.#fallback?.listen(false);
      else void this.#hangUp(this.#fallback, CLOSE.reopened);
      this.#timetable.begin();
      this.#greet(this.#primary);
    },
    adopt: () => this.#adopt(),
    drop: () => {
      this.#serving = undefined;
      this.#timetable.ends();
    },
    schedule: () => this.#timetable.schedule(this.#lost),
    poll: () => {
      if (!this.#fallback || this.#isPolling) return;
      void this.#hangUp(this.#fallback, CLOSE.reopened);
      this.#isPolling = true;
      this.#fallback.attempt();
    },
    hangUp: () => void this.#hangUp(this.#primary, CLOSE.hubSilent),
    redial: () => {
      void this.#hangUp(this.#primary, CLOSE.reopened).then(() => {
        if (this.#state === "connecting") this.#actions.attempt();
      });
    },
    repoll: () => {
      if (!this.#isPolling && this.#serving !== this.#fallback) return;
      this.#isPolling = false;
      this.#actions.poll();
    },
    goodbye: () => {
      this.#timetable.stop();
      this.#flush();
      this.#serving = undefined;
      const lines = [this.#primary, this.#fallback];
      this.#down = Promise.all(lines.map((line) => line?.close(CLOSE.goodbye))).then(() => this.#happens("ended"));
    },
    finish: () => {
      this.#ends.ended(this.#error);
      this.#onOver();
    },
  };

  #greet(line: Transport): void {
    const hello = this.#ends.hello();
    this.#hellos.set(line, hello);
    line.greet(hello);
  }

  #adopt(): void {
    const { line, welcome } = this.#welcome as { line: Transport; welcome: Welcome };
    if (line === this.#primary && this.#isPolling) void this.#hangUp(this.#fallback, CLOSE.reopened);
    this.#timetable.serves();
    this.#serving = line;
    this.#subscriptions = 0;
    this.#lost = undefined;
    this.#ends.calls.limit = welcome.limits.requests_in_flight ?? Number.POSITIVE_INFINITY;
    this.#ends.welcomed(welcome, this.#hellos.get(line) as Hello);
    this.listen();
    this.flushSoon();
  }

  #hangUp(line: Transport | undefined, why: LineClose): Promise<void> {
    if (!line) return Promise.resolve();
    if (this.#serving === line) this.#serving = undefined;
    if (this.#fallback === line) this.#isPolling = false;
    const closed = line.close(why);
    this.#ends.calls.lineLost(line, false);
    return closed;
  }

  #primaryEvents(): TransportEvents {
    return this.#lineEvents(() => this.#primary, {
      opened: () => this.#happens("opened"),
      welcomed: () => this.#happens("welcomed"),
      lost: () => this.#happens("lost"),
    });
  }

  #fallbackEvents(): TransportEvents {
    return this.#lineEvents(() => this.#fallback as Transport, {
      opened: () => this.#greet(this.#fallback as Transport),
      welcomed: () => {
        this.#isPolling = false;
        this.#happens("answered");
      },
      lost: () => {
        this.#isPolling = false;
        this.#happens("cut");
      },
    });
  }

  #lineEvents(line: () => Transport, on: Record<"opened" | "welcomed" | "lost", () => void>): TransportEvents {
    const { calls, stream, presence } = this.#ends;
    const lost = (why: LineClose) => this.#lineLost(line(), why, on.lost);
    return {
      opened: on.opened,
      welcomed: (welcome) => {
        this.#welcome = { line: line(), welcome };
        on.welcomed();
      },
      subscribed: (cursor) => {
        if (--this.#subscriptions === 0) this.#ends.subscribed(cursor);
      },
      refused: (error) => (isRetryable(error) ? this.#misbehaves(line(), error.message, lost) : this.#refuse(error)),
      lost,
      answered: (id, result) => calls.answered(id, result),
      failed: (id, error) => calls.failed(id, error),
      page: (page, bytes) => {
        if (!stream.receive(page, bytes)) this.#misbehaves(line(), "a gap in the log", lost);
      },
      presence: presence.change,
      presenceChanged: presence.begin,
      closing: (notice) => {
        this.#timetable.notice = notice;
      },
    };
  }

  #lineLost(line: Transport, why: LineClose, tell: () => void): void {
    this.#lost = why;
    this.#ends.calls.lineLost(line, true);
    const isOver = why.code !== CLOSE.goodbye.code && afterClose(why.code) === "stop";
    if (isOver) this.#refuse(new HubRefused(why.code, why.reason));
    else tell();
  }

  /** A line that cannot go on like this: another one, after a while. */
  #misbehaves(line: Transport, reason: string, lost: (why: LineClose) => void): void {
    void line.close({ code: CLOSE.reopened.code, reason });
    lost({ code: CLOSE.reopened.code, reason });
  }

  #refuse(error: Error): void {
    if (this.#state !== "closing") this.#error = error;
    this.#happens("refused");
  }
}
