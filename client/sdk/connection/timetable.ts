import { afterClose, type Closing, LIVENESS } from "../../../shared/index.ts";
import type { Clock } from "../clock.ts";
import { BACKOFF, Backoff } from "./backoff.ts";
import type { LineClose } from "./transports/transport.ts";

/** When an attempt takes longer than this, the fallback is tried as well. */
const SLOW_MS = 2_500;

/** When the next attempt begins, when one that is under way counts as slow, and when the fallback is tried again. */
export class Timetable {
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #backoff: Backoff;
  readonly #pollBackoff: Backoff;
  readonly #onDue: () => void;
  readonly #onPollDue: () => void;
  readonly #onSlow: () => void;
  #cancelDue: (() => void) | undefined;
  #cancelPoll: (() => void) | undefined;
  #cancelSlow: (() => void) | undefined;
  #servesSince: number | undefined;
  /** What the hub said before it closes the line. */
  notice: Closing | undefined;
  /** How long the last wait was to be, in milliseconds. */
  waitMs = 0;

  constructor(clock: Clock, random: () => number, on: Record<"due" | "pollDue" | "slow", () => void>) {
    this.#clock = clock;
    this.#random = random;
    this.#backoff = new Backoff(random);
    this.#pollBackoff = new Backoff(random);
    this.#onDue = on.due;
    this.#onPollDue = on.pollDue;
    this.#onSlow = on.slow;
  }

  /** An attempt, or its next step, begins. */
  begin(): void {
    this.#cancelSlow?.();
    this.#cancelSlow = this.#clock.after(SLOW_MS, this.#onSlow);
  }

  /** A line serves. */
  serves(): void {
    this.#cancelSlow?.();
    this.notice = undefined;
    this.#servesSince = this.#clock.now();
  }

  /** No line serves any more. After one that held, the next wait is short. */
  ends(): void {
    const held = this.#servesSince !== undefined && this.#clock.now() - this.#servesSince >= BACKOFF.min_uptime_ms;
    if (held) for (const backoff of [this.#backoff, this.#pollBackoff]) backoff.reset();
    this.#servesSince = undefined;
  }

  /** Arms the next attempt. Where the hub wants its clients to come back spread over a time, that counts. */
  schedule(lost: LineClose | undefined): void {
    const spreadMs = this.notice?.reconnect_within_ms ?? (lost && spreadAfter(lost.code));
    this.notice = undefined;
    this.waitMs = spreadMs === undefined ? this.#backoff.next() : this.#random() * spreadMs;
    this.#cancelDue?.();
    this.#cancelSlow?.();
    this.#cancelDue = this.#clock.after(this.waitMs, this.#onDue);
  }

  /** Arms the next try of the fallback, however far off the next attempt is. */
  pollLater(): void {
    this.#cancelPoll?.();
    this.#cancelPoll = this.#clock.after(this.#pollBackoff.next(), this.#onPollDue);
  }

  stop(): void {
    this.#cancelDue?.();
    this.#cancelPoll?.();
    this.#cancelSlow?.();
  }
}

const spreadAfter = (code: number) => (afterClose(code) === "spread" ? LIVENESS.reconnect_spread_ms : undefined);
