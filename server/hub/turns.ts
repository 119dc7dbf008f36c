/** Taking turns: what is shared in a turn of the event loop, what is done once in each, and what one after another. */
import { setImmediate as nextTurn } from "node:timers/promises";

/** Calls for the same thing that come in one turn share one. */
export class OncePerTurn<Key, Value> {
  readonly #calls = new Map<Key, Promise<Value>>();

  call(key: Key, begin: () => Promise<Value>): Promise<Value> {
    const shared = this.#calls.get(key);
    if (shared !== undefined) return shared;
    if (this.#calls.size === 0) setImmediate(() => this.#calls.clear());
    const own = begin();
    this.#calls.set(key, own);
    return own;
  }
}

/** Long computations: one a turn, in the order in which they were asked for; others are served in between. */
export class OneATurn {
  #last: Promise<unknown> | undefined;

  /** Resolves when it is the caller's turn: at once where nobody had this one. */
  async wait(): Promise<void> {
    const before = this.#last;
    const mine = (before ?? Promise.resolve()).then(() => nextTurn());
    this.#last = mine;
    void mine.then(() => {
      if (this.#last === mine) this.#last = undefined;
    });
    await before;
  }
}

/** What holds up others while it lasts: begun when the one before it is over, so that theirs comes in between. */
export class OneAtATime {
  #last: Promise<unknown> = Promise.resolve();

  run<T>(begin: () => Promise<T>): Promise<T> {
    const mine = this.#last.then(begin);
    this.#last = mine.catch(() => undefined);
    return mine;
  }
}
