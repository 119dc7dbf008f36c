/** Calls that the hub puts off: it has done nothing yet, and names the time after which it will. */
import { isRefusal } from "../../../shared/index.ts";
import type { Clock } from "../clock.ts";

/** The pause, in milliseconds, where the hub names none. */
const PAUSE_MS = 250;

/** After how many milliseconds a refused call can be made again; undefined: making it again is the caller's decision. */
export function pauseAfter(error: unknown): number | undefined {
  if (!isRefusal(error, "rate_limited", "too_many_requests")) return undefined;
  const named = error.details?.retry_after_ms;
  return typeof named === "number" && named >= 0 ? named : PAUSE_MS;
}

interface Entry<T> {
  readonly item: T;
  readonly until: number;
}

/** Things that wait for their time, under one timer. */
export class Postponed<T> {
  readonly #clock: Clock;
  readonly #onDue: (due: T[]) => void;
  #waiting: Entry<T>[] = [];
  #timerAt = Number.POSITIVE_INFINITY;
  #callOff = () => {};

  /** @param onDue is given what is due, in the order in which it came. */
  constructor(clock: Clock, onDue: (due: T[]) => void) {
    this.#clock = clock;
    this.#onDue = onDue;
  }

  add(item: T, until: number): void {
    this.#waiting.push({ item, until });
    this.#arm(until);
  }

  clear(): void {
    this.#waiting = [];
    this.#timerAt = Number.POSITIVE_INFINITY;
    this.#callOff();
  }

  #arm(at: number): void {
    if (at >= this.#timerAt) return;
    this.#callOff();
    this.#timerAt = at;
    this.#callOff = this.#clock.after(at - this.#clock.now(), () => this.#ring());
  }

  #ring(): void {
    const now = this.#clock.now();
    const due = this.#waiting.filter(({ until }) => until <= now);
    this.#waiting = this.#waiting.filter(({ until }) => until > now);
    this.#timerAt = Number.POSITIVE_INFINITY;
    for (const { until } of this.#waiting) this.#arm(until);
    if (due.length > 0) this.#onDue(due.map(({ item }) => item));
  }
}
