/**
 * Places for calls that are under way: as many as the hub allows, and after a loss only a few, one more with every
 * answer. Calls that wait at the hub leave some of them to those that do not: a worker's questions for tasks would else
 * hold up what it says of the tasks that it does.
 */

/** How many calls may be under way after a loss, before anything is answered. */
const AFTER_LOSS = 16;
/** Calls that wait at the hub take no more than this part. */
const WAITING_SHARE = 3 / 4;

interface Passenger {
  /** Whether it lets the hub wait for something to happen. */
  readonly waits: boolean;
}

export class Places {
  /** How many calls may be under way at once. */
  limit = Number.POSITIVE_INFINITY;
  /** The same by what came through since the last loss. */
  #trust = Number.POSITIVE_INFINITY;
  #taken = 0;
  /** How many of them wait at the hub. */
  #waiting = 0;

  get areTaken(): boolean {
    return this.#taken > 0;
  }

  /** Gives places to those of a queue that may travel, in their order. */
  board<P extends Passenger>(queue: readonly P[]): { travelling: P[]; staying: P[] } {
    const [travelling, staying]: [P[], P[]] = [[], []];
    const room = Math.min(this.limit, this.#trust) - this.#taken;
    let toWait = Math.max(1, Math.floor(this.limit * WAITING_SHARE)) - this.#waiting;
    let looked = 0;
    for (; looked < queue.length && travelling.length < room; looked++) {
      const passenger = queue[looked] as P;
      const travels = !passenger.waits || toWait-- > 0;
      (travels ? travelling : staying).push(passenger);
    }
    this.#taken += travelling.length;
    this.#waiting += travelling.filter(({ waits }) => waits).length;
    return { travelling, staying: staying.concat(queue.slice(looked)) };
  }

  leave({ waits }: Passenger): void {
    this.#taken--;
    if (waits) this.#waiting--;
  }

  /** A line was lost, and the next may be as soon: what had to pass as a whole would never get through. */
  lost(): void {
    this.#trust = this.#taken + AFTER_LOSS;
  }

  /** So many calls more may travel: as many were answered, or may not be for long. */
  trust(calls: number): void {
    this.#trust += calls;
  }
}
