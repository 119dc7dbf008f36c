/**
 * Drives the table of `connectionStates.ts`: reports to it what happens to the lines, arms its timers, and carries out
 * its actions. It does not look at what the lines carry.
 */
import { afterClose, CLOSE, type Hello } from "../../../shared/index.ts";
import { atEndOfTurn } from "../clock.ts";
import { HubRefused } from "../errors.ts";
import type { Acks } from "../events/acks.ts";
import type { StateChange } from "../events/events.ts";
import { type Config, socketUrl } from "../options.ts";
import { type Action, type ConnectionState, type Occurrence, TRANSITIONS } from "./connectionStates.ts";
import { Line, type LinePorts } from "./line.ts";
import type { Subscription } from "./subscription.ts";
import { Timetable } from "./timetable.ts";
import { LongPollTransport } from "./transports/longPoll.ts";
import { SocketTransport } from "./transports/socket.ts";
import type { LineClose, SessionStart, Transport, TransportEvents, TransportName } from "./transports/transport.ts";

/** How soon to look again whether a line that is full has room. */
const CONGESTED_MS = 10;

type Open = (events: TransportEvents) => Transport;

/** Where the traffic comes from and goes to, and who learns of the connection. */
interface ConnectionPorts extends LinePorts {
  readonly acks: Acks;
  /** Something is about to be sent: whatever should go with it has to be called now. */
  departing(): void;
  /** A session begins. */
  welcomed(session: SessionStart, hello: Hello): void;
  /** Whether anybody wants events. */
  wantsEvents(): boolean;
  /** Whether this run holds tasks, which the hub takes from a run that it does not see. */
  holdsTasks(): boolean;
  changed(change: StateChange): void;
  /** It is over. An error tells why, unless the caller wished it. */
  ended(error: Error | undefined): void;
}

export class Connection {
  readonly #config: Config;
  readonly #ports: ConnectionPorts;
  readonly #primary: Line;
  readonly #fallback: Line | undefined;
  readonly #timetable: Timetable;
  #state: ConnectionState = "idle";
  #serving: Line | undefined;
  /** When the last line stopped serving; before any has served, when this began. */
  #downSince: number;
  /** The line that was welcomed last: to be adopted. */
  #welcomed: Line | undefined;
  #lost: LineClose | undefined;
  #error: Error | undefined;
  #flushIsDue = false;
  /** What happened and is not dealt with yet, starting with what is being dealt with. */
  readonly #course: Occurrence[] = [];
  #down: Promise<void> = Promise.resolve();
  #onOver = () => {};
  readonly #over = new Promise<void>((resolve) => {
    this.#onOver = resolve;
  });

  constructor(config: Config, ports: ConnectionPorts) {
    this.#config = config;
    this.#ports = ports;
    const { url, transport, clock, random } = config;
    this.#downSince = clock.now();
    this.#timetable = new Timetable(clock, random, {
      due: () => this.#happens("due"),
      pollDue: () => this.#happens("pollDue"),
      slow: () => this.#happens("slow"),
    });
    const longPoll: Open = (events) => new LongPollTransport(url, config, events);
    const socket: Open = (events) => new SocketTransport(socketUrl(url), clock, events);
    this.#primary = this.#newLine(transport === "long_poll" ? longPoll : socket, {
      opened: () => this.#happens("opened"),
      welcomed: "welcomed",
      lost: "lost",
    });
    if (transport !== "auto") return;
    this.#fallback = this.#newLine(longPoll, { opened: (line) => line.greet(), welcomed: "answered", lost: "cut" });
  }

  get state(): ConnectionState {
    return this.#state;
  }

  /** What was said on the line that serves. */
  get hello(): Hello | undefined {
    return this.#serving?.hello;
  }

  /** What serves now; undefined while nothing does. */
  get transport(): TransportName | undefined {
    return this.#serving?.name;
  }

  /** Whether calls are sent: a line serves. */
  get isUp(): boolean {
    return this.#serving !== undefined;
  }

  /** For how long the hub has been out of reach, in milliseconds. */
  get downMs(): number {
    if (this.#state === "closed") return Number.POSITIVE_INFINITY;
    return this.isUp ? 0 : this.#config.clock.now() - this.#downSince;
  }

  start(): void {
    this.#happens("start");
  }

  /** Calls `run` when no call in flight would be harmed by reopening. */
  whenRepeatable(run: () => void): void {
    this.#ports.calls.whenRepeatable(run);
  }

  /** Says hello anew, on a new line; calls in flight are repeated, or fail. */
  reopen(): void {
    this.#happens("reopen");
  }

  /** Subscribes on the line that serves; the next one's hello carries it. */
  subscribe(subscription: Subscription): void {
    this.#serving?.subscribe(subscription);
  }

  /** Says goodbye. @returns when the lines are down. */
  async close(): Promise<void> {
    this.#happens("close");
    await this.#over;
    await this.#down;
  }

  /** Whether events are wanted, or tasks are held, has changed. */
  listen(): void {
    this.#serving?.listen(this.#ports.wantsEvents(), this.#ports.holdsTasks());
  }

  /** Sends at the end of this turn, together with whatever else is due by then. */
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
    this.#ports.departing();
    this.#flushIsDue = false;
    line.send(this.#ports.acks.take());
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
    if (state !== previous) this.#ports.changed(this.#change(state, previous));
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
      if (this.#serving === this.#fallback) this.#fallback?.listen(false, this.#ports.holdsTasks());
      else void this.#hangUp(this.#fallback, CLOSE.reopened);
      this.#timetable.begin();
      this.#primary.greet();
    },
    adopt: () => this.#adopt(),
    drop: () => {
      this.#serveNoMore();
      this.#timetable.ends();
    },
    schedule: () => this.#timetable.schedule(this.#lost),
    poll: () => {
      if (!this.#fallback?.isOpening) this.#askFallback();
    },
    pollLater: () => this.#timetable.pollLater(),
    hangUp: () => void this.#hangUp(this.#primary, CLOSE.hubSilent),
    redial: () => {
      void this.#hangUp(this.#primary, CLOSE.reopened).then(() => this.#happens("down"));
    },
    repoll: () => {
      if (this.#fallback?.isOpening || this.#serving === this.#fallback) this.#askFallback();
    },
    goodbye: () => {
      this.#timetable.stop();
      this.#flush();
      this.#serveNoMore();
      const lines = [this.#primary, this.#fallback];
      this.#down = Promise.all(lines.map((line) => line?.close(CLOSE.goodbye))).then(() => this.#happens("ended"));
    },
    finish: () => {
      this.#ports.ended(this.#error);
      this.#onOver();
    },
  };

  #adopt(): void {
    const line = this.#welcomed as Line;
    const session = line.session as SessionStart;
    if (line === this.#primary) this.#retireFallback();
    this.#timetable.serves();
    this.#serving = line;
    this.#lost = undefined;
    this.#ports.calls.limit = session.requestsInFlight;
    this.#ports.welcomed(session, line.hello as Hello);
    this.listen();
    this.flushSoon();
  }

  /** Calls in flight on it are still answered; it asks for nothing more. */
  #retireFallback(): void {
    if (this.#fallback?.isOpening) void this.#hangUp(this.#fallback, CLOSE.reopened);
    else this.#fallback?.listen(false, false);
  }

  #serveNoMore(): void {
    if (this.#serving) this.#downSince = this.#config.clock.now();
    this.#serving = undefined;
  }

  #askFallback(): void {
    void this.#hangUp(this.#fallback, CLOSE.reopened);
    this.#fallback?.attempt();
  }

  async #hangUp(line: Line | undefined, why: LineClose): Promise<void> {
    if (this.#serving === line) this.#serveNoMore();
    await line?.close(why);
  }

  /** @param on what it means for the table that a line is opened, welcomed or lost. */
  #newLine(open: Open, on: { opened: (line: Line) => void; welcomed: Occurrence; lost: Occurrence }): Line {
    const line: Line = new Line(open, this.#ports, {
      opened: () => on.opened(line),
      welcomed: () => {
        this.#welcomed = line;
        this.#happens(on.welcomed);
      },
      lost: (why) => this.#lineLost(why, on.lost),
      refused: (error) => this.#refuse(error),
      closing: (notice) => {
        this.#timetable.notice = notice;
      },
    });
    return line;
  }

  #lineLost(why: LineClose, occurrence: Occurrence): void {
    this.#lost = why;
    const isOver = why.code !== CLOSE.goodbye.code && afterClose(why.code) === "stop";
    if (isOver) this.#refuse(new HubRefused(why.code, why.reason));
    else this.#happens(occurrence);
  }

  #refuse(error: Error): void {
    if (this.#state !== "closing") this.#error = error;
    this.#happens("refused");
  }
}
