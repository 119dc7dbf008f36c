import type { Clock } from "../../server/clock.ts";

interface Timer {
  at: number;
  run: () => void;
}

/** A clock that moves only when a test says so. */
export class ManualClock implements Clock {
  #now: number;
  /** What timers go by, which is never set. */
  #steady = 0;
  #stoppedMs = 0;
  readonly #timers = new Set<Timer>();

  constructor(start = Date.UTC(2026, 0, 1)) {
    this.#now = start;
  }

  /** Milliseconds since 1970. */
  now(): number {
    return this.#now;
  }

  /** Milliseconds lived through. */
  awake(): number {
    return this.#steady - this.#stoppedMs;
  }

  /** Calls `run` once, `delayMs` from now. @returns what cancels it. */
  after(delayMs: number, run: () => void): () => void {
    const timer = { at: this.#steady + Math.max(0, delayMs), run };
    this.#timers.add(timer);
    return () => void this.#timers.delete(timer);
  }

  /** Moves on by `ms`; everything due on the way is called at its own time and in order. */
  advance(ms: number): void {
    const end = this.#steady + ms;
    for (let due = this.#firstUntil(end); due; due = this.#firstUntil(end)) {
      this.#timers.delete(due);
      this.#pass(Math.max(0, due.at - this.#steady));
      due.run();
    }
    this.#pass(end - this.#steady);
  }

  /** Sets the wall clock, forward or back; so does a machine that was asleep. */
  step(ms: number): void {
    this.#now += ms;
  }

  /** The process is stopped for so long: afterwards everything that was due meanwhile is, once. */
  stop(ms: number): void {
    this.#stoppedMs += ms;
    this.#pass(ms);
    this.advance(0);
  }

  /** How many timers are armed. */
  get armed(): number {
    return this.#timers.size;
  }

  #pass(ms: number): void {
    this.#steady += ms;
    this.#now += ms;
  }

  #firstUntil(end: number): Timer | undefined {
    let first: Timer | undefined;
    for (const timer of this.#timers) {
      if (timer.at <= end && (first === undefined || timer.at < first.at)) first = timer;
    }
    return first;
  }
}
