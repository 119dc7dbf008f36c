import type { HubEvent } from "./events.ts";

/** An event that nobody has taken yet. */
interface Untaken {
  readonly event: HubEvent;
  /** It was handed to whoever iterates. */
  readonly taken: () => void;
  /** Whoever iterates has gone without it. */
  readonly left: () => void;
}

/**
 * The events of one `for await`. What is not taken yet stays unacknowledged, so that the hub sends no more than its
 * window over one line; a line that breaks while nothing is taken adds another.
 */
export class EventQueue implements AsyncIterableIterator<HubEvent, undefined> {
  #entries: Untaken[] = [];
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

  push(entry: Untaken): void {
    const resolve = this.#waiting.shift();
    this.#failing.shift();
    if (!resolve) {
      this.#entries.push(entry);
      return;
    }
    resolve({ done: false, value: entry.event });
    entry.taken();
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
    for (const entry of this.#entries.splice(0)) entry.left();
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
