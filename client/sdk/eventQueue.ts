import type { HubEvent } from "./events.ts";

interface Entry {
  readonly event: HubEvent;
  readonly taken: () => void;
}

/**
 * The events of one `for await`. What is not taken yet stays unacknowledged, so that the hub sends no more than its
 * window: the queue is bounded by that.
 */
export class EventQueue implements AsyncIterableIterator<HubEvent, undefined> {
  #entries: Entry[] = [];
  #waiting: ((result: IteratorResult<HubEvent, undefined>) => void)[] = [];
  #failing: ((error: Error) => void)[] = [];
  #ended = false;
  #error: Error | undefined;
  readonly #onEnd: (queue: EventQueue) => void;

  /** @param onEnd is called once, when nobody wants more. */
  constructor(onEnd: (queue: EventQueue) => void) {
    this.#onEnd = onEnd;
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

  /** Whoever iterates wants no more: what is left counts as taken. */
  return(): Promise<IteratorResult<HubEvent, undefined>> {
    this.end();
    for (const { taken } of this.#entries.splice(0)) taken();
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
    this.#onEnd(this);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}

const END: IteratorResult<HubEvent, undefined> = { done: true, value: undefined };
