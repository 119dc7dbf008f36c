/** Calls for the same thing that come in one turn of the event loop share one. */
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
