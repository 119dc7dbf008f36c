/**
 * Busy polling: a thread that expects a message within a moment looks for it again and again, instead of sleeping until it
 * is woken. To wake a thread takes longer than most small things that it is woken for.
 *
 * Only around small batches: under load neither thread sleeps anyway, and whoever else shares the machine needs the core.
 * And only where most waits are short: neither a slow disk nor a quiet hub is polled for.
 */
import { availableParallelism } from "node:os";

/** Longer than most commits take, and most programs to act on what they are told. */
const SHORT_MS = 1;
const SMALL_BATCH = 2;
/** How many long waits in a row it takes until none is polled for. A short one makes up for a long one. */
const TRUST = 3;
/** On a single core the one who is waited for could not run. */
const HAS_ROOM = availableParallelism() > 1;

/** Whether to poll for what comes after a batch of so many commands. */
export const isWorthPolling = (commands: number) => HAS_ROOM && commands <= SMALL_BATCH;

/** The waits of one thread. */
export class BusyPoll {
  readonly #now: () => number;
  #beganAt = 0;
  #isWaiting = false;
  #trust = TRUST;
  #isTurning = false;

  /** @param now milliseconds, of which only differences mean anything. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** A wait begins. */
  begin(): void {
    this.#beganAt = this.#now();
    this.#isWaiting = true;
  }

  /** What was waited for has come. */
  end(): void {
    this.#trust = this.#isYoung ? Math.min(TRUST, this.#trust + 1) : Math.max(0, this.#trust - 1);
    this.#isWaiting = false;
  }

  /** For a thread with nothing else to do. @returns what `look` found within a moment. */
  look<Found>(look: () => Found | undefined): Found | undefined {
    let found: Found | undefined;
    while (found === undefined && this.#pays) found = look();
    return found;
  }

  /** For a thread that serves others as well: its event loop goes on turning, without a pause. */
  turn(): void {
    if (this.#isTurning) return;
    this.#isTurning = true;
    setImmediate(this.#next);
  }

  readonly #next = (): void => {
    this.#isTurning = this.#isWaiting && this.#pays;
    if (this.#isTurning) setImmediate(this.#next);
  };

  get #pays(): boolean {
    return this.#trust > 0 && this.#isYoung;
  }

  get #isYoung(): boolean {
    return this.#now() - this.#beganAt < SHORT_MS;
  }
}
