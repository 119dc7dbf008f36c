/**
 * Wakes the store when time alone changes something there, or is to be noted.
 *
 * One timer, armed at the earliest, but never for longer than a second: the wall clock may be put forward, and a
 * machine's sleep stops timers but not that clock. When the two clocks have come apart the store is woken at once: in
 * its next batch, what measures time follows the wall clock before anything is judged by it.
 */
import { type Clock, momentOf } from "../../clock.ts";
import type { Report } from "../../report.ts";
import { JUMP_MS } from "../../store/engine/timekeeper.ts";

const LOOK_MS = 1_000;
/** How soon the store is woken after it failed. */
const AGAIN_MS = 1_000;

export class Alarm {
  readonly #clock: Clock;
  readonly #wake: () => Promise<unknown>;
  readonly #report: Report;
  #at: number | null = null;
  #clockOffset: number;
  #isStopped = false;
  #callOff = () => {};

  /** @param wake has the store do what is due, which arms the alarm anew. */
  constructor(clock: Clock, wake: () => Promise<unknown>, report: Report) {
    this.#clock = clock;
    this.#wake = wake;
    this.#report = report;
    this.#clockOffset = clock.now() - clock.awake();
  }

  /** @param at when the store is to be woken next, ms since 1970; null: never. */
  arm(at: number | null): void {
    if (at === this.#at || this.#isStopped) return;
    this.#at = at;
    this.#lookLater();
  }

  /** The store has failed: what it has written all the same is known once it is woken, and what is due then. */
  lookAfter(): void {
    const at = this.#clock.now() + AGAIN_MS;
    if (this.#at === null || at < this.#at) this.arm(at);
  }

  /** Begins to look. */
  start(): void {
    this.#lookLater();
  }

  stop(): void {
    this.#isStopped = true;
    this.#callOff();
  }

  #lookLater(): void {
    this.#callOff();
    if (this.#isStopped) return;
    const delay = this.#at === null ? LOOK_MS : Math.max(0, this.#at - this.#clock.now());
    this.#callOff = this.#clock.after(Math.min(delay, LOOK_MS), () => this.#look());
  }

  #look(): void {
    const { now, awake } = momentOf(this.#clock);
    const hasJumped = Math.abs(now - awake - this.#clockOffset) > JUMP_MS;
    const isDue = this.#at !== null && this.#at <= now;
    if (hasJumped || isDue) {
      this.#at = null;
      this.#clockOffset = now - awake;
      void this.#wakeNow();
    }
    this.#lookLater();
  }

  async #wakeNow(): Promise<void> {
    try {
      await this.#wake();
    } catch (error) {
      this.#report.failed("waking what is due", error);
      this.lookAfter();
    }
  }
}
