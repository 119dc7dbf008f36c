/**
 * Wakes the store when time alone changes something there, or is to be noted.
 *
 * One timer, armed at the earliest, but never for longer than a second: the wall clock may be put forward, and a
 * machine's sleep stops timers but not that clock. When the two clocks have come apart the store is woken at once: in
 * its next batch, what measures time follows the wall clock before anything is judged by it.
 */
import { type Clock, ClockDrift, JUMP_MS, momentOf } from "../../clock.ts";
import { RepeatedWork, type Report } from "../../report.ts";

const LOOK_MS = 1_000;
/** How soon the store is woken after it failed. */
const AGAIN_MS = 1_000;

interface AlarmOptions {
  clock: Clock;
  /** Has the store do what is due, which arms the alarm anew. */
  wake: () => Promise<unknown>;
  report: Report;
}

export class Alarm {
  readonly #options: AlarmOptions;
  #at: number | null = null;
  /** Since the store was woken last. */
  readonly #drift: ClockDrift;
  readonly #waking: RepeatedWork;
  #isStopped = false;
  #cancelLook = () => {};

  constructor(options: AlarmOptions) {
    this.#options = options;
    this.#drift = new ClockDrift(momentOf(options.clock));
    this.#waking = new RepeatedWork("waking what is due", options.report);
  }

  /** @param at when the store is to be woken next, ms since 1970; null: never. */
  arm(at: number | null): void {
    if (at === this.#at || this.#isStopped) return;
    this.#at = at;
    this.#lookLater();
  }

  /** The store has failed: waking it tells what it wrote all the same, and what is due then. */
  lookAfter(): void {
    const at = this.#options.clock.now() + AGAIN_MS;
    if (this.#at === null || at < this.#at) this.arm(at);
  }

  /** Begins to look. */
  start(): void {
    this.#lookLater();
  }

  stop(): void {
    this.#isStopped = true;
    this.#cancelLook();
  }

  #lookLater(): void {
    this.#cancelLook();
    if (this.#isStopped) return;
    const delay = this.#at === null ? LOOK_MS : Math.max(0, this.#at - this.#options.clock.now());
    this.#cancelLook = this.#options.clock.after(Math.min(delay, LOOK_MS), () => this.#look());
  }

  #look(): void {
    const moment = momentOf(this.#options.clock);
    const hasJumped = Math.abs(this.#drift.by(moment)) > JUMP_MS;
    const isDue = this.#at !== null && this.#at <= moment.now;
    if (hasJumped || isDue) {
      this.#at = null;
      this.#drift.follow(moment);
      void this.#wakeNow();
    }
    this.#lookLater();
  }

  async #wakeNow(): Promise<void> {
    try {
      await this.#options.wake();
      this.#waking.succeeded();
    } catch (error) {
      this.#waking.failed(error);
      this.lookAfter();
    }
  }
}
