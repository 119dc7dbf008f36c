import type { Clock } from "../../server/clock.ts";

interface Timer {
  at: number;
  run: () => void;
}

/** A clock that moves only when a test says so. */
export class ManualClock implements Clock {
  #now: number;
  readonly #timers = new Set<Timer>();

  constructor(start = Date.UTC(2026, 0, 1)) {
    this.#now = start;
  }

  /** Milliseconds since 1970. */
  now(): number {
    return this.#now;
  }

  /** Calls `run` once, `delayMs` from now. @returns what cancels it. */
  after(delayMs: number, run: () => void): () => void {
    const timer = { at: this.#now + Math.max(0, delayMs), run };
    this.#timers.add(timer);
    return () => void this.#timers.delete(timer);
  }

  /** Moves on by `ms`; everything due on the way is called at its own time and in order. */
  advance(ms: number): void {
    const end = this.#now + ms;
    for (let due = this.#firstUntil(end); due; due = this.#firstUntil(end)) {
      this.#timers.delete(due);
      this.#now = due.at;
      due.run();
    }
    this.#now = end;
  }

  /** How many timers are armed. */
  get armed(): number {
    return this.#timers.size;
  }

  #firstUntil(end: number): Timer | undefined {
    let first: Timer | undefined;
    for (const timer of this.#timers) {
      if (timer.at <= end && (first === undefined || timer.at < first.at)) first = timer;
    }
    return first;
  }
}
