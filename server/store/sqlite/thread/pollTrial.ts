/**
 * Whether busy polling pays, found out by trying. It saves the time to wake a thread where a core is free, and takes the core
 * that somebody else needs where none is: beside another busy program every wait gets longer by it. Nothing that a program
 * can ask for says which it is; the waits do.
 *
 * - wait: from a request to its answer.
 * - turn: so many waits in a row, all with polling or all without.
 * - trial: a turn made the other way than the one before it, and compared with it alone: a machine's speed drifts.
 */

const TURN_WAITS = 16;
/** One turn of so many is a trial. */
const TRIAL_TURNS = 16;
/** How much the newest trial counts. */
const NEWEST = 1 / 8;
/** Polling pays where waits with it take at most this share of those without. */
const WORTH = 0.95;
/** No trial says more than these shares. */
const [LEAST, MOST] = [0.5, 1.5];
/** A longer wait counts as this: what a disk does once in a while says nothing about polling. */
const LONGEST_MS = 2;

export class PollTrial {
  /** What waits with polling take, as a share of those without. */
  #share = 1;
  #isTrial = false;
  #turns = 0;
  #waits = 0;
  #sumMs = 0;
  #sumBeforeMs = 0;

  /** Whether the next wait is polled for. */
  get polls(): boolean {
    return this.#pays !== this.#isTrial;
  }

  /** A wait that began as `polls` said is over. */
  took(ms: number): void {
    this.#sumMs += Math.min(ms, LONGEST_MS);
    if (++this.#waits === TURN_WAITS) this.#endTurn();
  }

  #endTurn(): void {
    if (this.#isTrial) this.#learn();
    this.#isTrial = this.#turns++ % TRIAL_TURNS === 0;
    this.#sumBeforeMs = this.#sumMs;
    this.#sumMs = 0;
    this.#waits = 0;
  }

  #learn(): void {
    const share = this.polls ? this.#sumMs / this.#sumBeforeMs : this.#sumBeforeMs / this.#sumMs;
    this.#share += NEWEST * (Math.min(MOST, Math.max(LEAST, share)) - this.#share);
  }

  get #pays(): boolean {
    return this.#share < WORTH;
  }
}
