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
const [LEAST, MOST] = [2 / 3, 3 / 2];

export class PollTrial {
  /** What waits with polling take, as a share of those without. */
  #share = 1;
  #isTrial = false;
  #turns = 0;
  #waitsMs: number[] = [];
  #typicalBeforeMs = Number.NaN;

  /** Whether the next wait is polled for. */
  get polls(): boolean {
    return this.#pays !== this.#isTrial;
  }

  /** A wait that began as `polls` said is over. */
  took(ms: number): void {
    if (this.#waitsMs.push(ms) < TURN_WAITS) return;
    this.#endTurn(median(this.#waitsMs));
    this.#waitsMs = [];
  }

  /** A turn is over, whose waits typically took so long. */
  #endTurn(typicalMs: number): void {
    if (this.#isTrial) this.#learn(this.polls ? typicalMs / this.#typicalBeforeMs : this.#typicalBeforeMs / typicalMs);
    this.#isTrial = this.#turns++ % TRIAL_TURNS === 0;
    this.#typicalBeforeMs = typicalMs;
  }

  /** The newest trial says this share. */
  #learn(share: number): void {
    this.#share += NEWEST * (Math.min(MOST, Math.max(LEAST, share)) - this.#share);
  }

  get #pays(): boolean {
    return this.#share < WORTH;
  }
}

/** What a disk does once in a while says nothing about polling, and does not move it. */
const median = (values: number[]) => values.sort((a, b) => a - b)[values.length >> 1] as number;
