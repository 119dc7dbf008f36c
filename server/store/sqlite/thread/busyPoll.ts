/**
 * Busy polling: a thread that expects a message within a moment looks for it again and again, instead of sleeping until it
 * is woken. To wake a thread takes longer than most small things that it is woken for.
 *
 * Only where most waits are short: a quiet hub is not polled for.
 */

/** Longer than most commits take, and most programs to act on what they are told. Nothing is polled for longer. */
export const SHORT_MS = 1;
/** How many long waits in a row it takes until none is polled for. A short one makes up for a long one. */
const TRUST = 3;

/** The waits of a thread that has nothing else to do. */
export class BusyPoll {
  readonly #now: () => number;
  #beganAt = 0;
  #trust = TRUST;

  /** @param now milliseconds, of which only differences mean anything. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** A wait begins. */
  begin(): void {
    this.#beganAt = this.#now();
  }

  /** What was waited for has come. */
  end(): void {
    this.#trust = this.#isYoung ? Math.min(TRUST, this.#trust + 1) : Math.max(0, this.#trust - 1);
  }

  /** @returns what `look` found within a moment. */
  look<Found>(look: () => Found | undefined): Found | undefined {
    let found: Found | undefined;
    while (found === undefined && this.#trust > 0 && this.#isYoung) found = look();
    return found;
  }

  get #isYoung(): boolean {
    return this.#now() - this.#beganAt < SHORT_MS;
  }
}
