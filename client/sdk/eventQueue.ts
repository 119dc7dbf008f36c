import type { HubEvent } from "./events.ts";

/** An event that nobody has taken yet. */
export interface Untaken {
  readonly event: HubEvent;
  readonly taken: () => void;
}

export interface QueueEnds {
  /** Called once, when nobody wants more. */
  ended(queue: EventQueue): void;
  /** What is left when whoever iterates has gone. */
  left(untaken: readonly Untaken[]): void;
}

/**
 * The events of one `for await`. What is not taken yet stays unacknowledged, so that the hub sends no more than its
 * window: the queue is bounded by that.
 */
export class EventQueue implements AsyncIterableIterator<HubEvent, undefined> {
  #entries: Untaken[] = [];
  #waiting: ((result: IteratorResult<HubEvent, undefined>) => void)[] = [];
  #failing: ((error: Error) => void)[] = [];
  #ended = false;
  #error: Error | undefined;
  readonly #ends: QueueEnds;

  constructor(ends: QueueEnds) {
    this.#ends = ends;
  }

  get size(): number {
    return this.#entries.length;
  }

  /** @param taken is called when the event was handed to whoever iterates. */
  push(event: HubEvent, taken: () => void): void {
    const resolve = this.#waiting.shift();
    this.#failing.shift();
    if (!resolve) {
      this.#entries.push({ event, taken });
      return;
    }
    resolve({ done: false, value: event });
    taken();
  }

  next(): Promise<IteratorResult<HubEvent, undefined>> {
    const entry = this.#entries.shift();
    if (entry) {
      entry.taken();
      return Promise.resolve({ done: false, value: entry.event });
    }
    if (this.#error) return Promise.reject(this.#error);
    if (this.#ended) return Promise.resolve(END);
    return new Promise((resolve, reject) => {
      this.#waiting.push(resolve);
      this.#failing.push(reject);
    });
  }

  /** Whoever iterates wants no more. */
  return(): Promise<IteratorResult<HubEvent, undefined>> {
    this.end();
    this.#ends.left(this.#entries.splice(0));
    return Promise.resolve(END);
  }

  /** No more will come; what is left can still be taken. An error comes after that. */
  end(error?: Error): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#error = error;
    const [waiting, failing] = [this.#waiting, this.#failing];
    this.#waiting = [];
    this.#failing = [];
    if (error) for (const reject of failing) reject(error);
    else for (const resolve of waiting) resolve(END);
    this.#ends.ended(this);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}

const END: IteratorResult<HubEvent, undefined> = { done: true, value: undefined };
