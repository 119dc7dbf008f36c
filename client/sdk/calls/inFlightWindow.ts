/**
 * How many calls may be in flight at once: a congestion window with slow start, below the hub's limit.
 *
 * - The *limit* is what the hub allows.
 * - The *window* opens after the first lost line: a few calls more than were in flight, and one more with every answer.
 *   What has to get through all at once might never get through.
 * - *Waiting* calls let the hub wait for something to happen. They fill at most a part of the limit: a worker asking for
 *   tasks must not hold up the results of those it does. They grow the window when sent, as no answer may come for long.
 *
 * Invariants: no call is admitted beyond the limit or the window, no waiting one beyond its share. Calls are admitted in
 * their order, except that others overtake the waiting ones that exceed it.
 */

/** How much larger than the calls in flight the window is after a loss. */
const AFTER_LOSS = 16;
/** The part of the limit for waiting calls. */
const WAITING_SHARE = 3 / 4;

interface Call {
  /** Whether it lets the hub wait for something to happen. */
  readonly waits: boolean;
}

export class InFlightWindow {
  limit = Number.POSITIVE_INFINITY;
  #window = Number.POSITIVE_INFINITY;
  #inFlight = 0;
  /** How many of those are waiting calls. */
  #waiting = 0;

  get isEmpty(): boolean {
    return this.#inFlight === 0;
  }

  /** Splits a queue into the calls that are in flight from now on, and those that stay. */
  admit<C extends Call>(queue: readonly C[]): { admitted: C[]; queued: C[] } {
    const [admitted, queued]: [C[], C[]] = [[], []];
    const most = Math.min(this.limit, this.#window);
    const mostWaiting = Math.max(1, Math.floor(this.limit * WAITING_SHARE));
    let looked = 0;
    while (looked < queue.length && this.#inFlight < most) {
      const call = queue[looked++] as C;
      if (call.waits && this.#waiting >= mostWaiting) {
        queued.push(call);
        continue;
      }
      admitted.push(call);
      this.#inFlight++;
      if (call.waits) this.#waiting++;
    }
    return { admitted, queued: queued.concat(queue.slice(looked)) };
  }

  /** A call is in flight no more. */
  remove({ waits }: Call): void {
    this.#inFlight--;
    if (waits) this.#waiting--;
  }

  /** A line was lost, and the next one may be lost as soon. */
  shrink(): void {
    this.#window = this.#inFlight + AFTER_LOSS;
  }

  grow(calls: number): void {
    this.#window += calls;
  }
}
