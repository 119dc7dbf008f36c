import type { Clock } from "../clock.ts";

export interface Progress {
  percent?: number;
  note?: string;
}

/** At most this often: what is reported in between is overtaken by the newest. */
const EVERY_MS = 250;

/**
 * How far one attempt is: said as often as its handler likes, sent as rarely as others need it. The newest wins, one
 * report is under way at a time, and the last one is sent before the end, whatever is still under way.
 */
export class ProgressReports {
  readonly #clock: Clock;
  readonly #send: (progress: Progress) => Promise<void>;
  #newest: Progress | undefined;
  #sending: Promise<void> | undefined;
  #cancelRest: (() => void) | undefined;
  #isOver = false;

  /** @param send must not fail. */
  constructor(clock: Clock, send: (progress: Progress) => Promise<void>) {
    this.#clock = clock;
    this.#send = send;
  }

  say(progress: Progress): void {
    if (this.#isOver) return;
    this.#newest = progress;
    if (!this.#sending && !this.#cancelRest) this.#sendNewest();
  }

  /** Nothing more is reported. @returns when all reports have arrived; they were sent before this returns. */
  async end(): Promise<void> {
    this.#isOver = true;
    this.#cancelRest?.();
    const last = this.#newest && this.#send(this.#newest);
    this.#newest = undefined;
    await Promise.all([this.#sending, last]);
  }

  #sendNewest(): void {
    const newest = this.#newest;
    if (!newest) return;
    this.#newest = undefined;
    this.#cancelRest = this.#clock.after(EVERY_MS, () => this.#rested());
    this.#sending = this.#send(newest).then(() => {
      this.#sending = undefined;
      if (!this.#cancelRest && !this.#isOver) this.#sendNewest();
    });
  }

  #rested(): void {
    this.#cancelRest = undefined;
    if (!this.#sending) this.#sendNewest();
  }
}
