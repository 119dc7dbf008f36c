/**
 * Collections for what comes and goes by the thousand a second.
 *
 * A `Map` or `Set` of V8 copies itself into a new table now and then, to which the old one keeps pointing. Once an old
 * table has outlived a few young collections, only a full one finds that nobody uses it; until then it holds all that
 * it held, and every later table with what that one held. Under load, everything that ever was under way is so moved to
 * the old generation, which costs more than all the work done on it. Here the tables hold cells, emptied on the way out.
 */

interface Cell<V> {
  value: V | undefined;
}

/** As a `Map`, in what it offers of it. No value is undefined. */
export class ChurnMap<K, V> {
  readonly #cells = new Map<K, Cell<V>>();

  get size(): number {
    return this.#cells.size;
  }

  get(key: K): V | undefined {
    return this.#cells.get(key)?.value;
  }

  has(key: K): boolean {
    return this.#cells.has(key);
  }

  set(key: K, value: V): void {
    const cell = this.#cells.get(key);
    if (cell) cell.value = value;
    else this.#cells.set(key, { value });
  }

  delete(key: K): void {
    const cell = this.#cells.get(key);
    if (!cell) return;
    cell.value = undefined;
    this.#cells.delete(key);
  }

  clear(): void {
    for (const key of this.#cells.keys()) this.delete(key);
  }

  /** In the order in which their keys came. What is deleted meanwhile is left out. */
  *values(): Iterable<V> {
    for (const { value } of this.#cells.values()) yield value as V;
  }
}

/** Things in the order in which they came. */
export class ChurnSet<T> {
  readonly #things = new ChurnMap<number, T>();
  #added = 0;

  get size(): number {
    return this.#things.size;
  }

  /**
   * @returns what takes it out again.
   * @example const answered = asked.add(params); try { await answer; } finally { answered(); }
   */
  add(thing: T): () => void {
    const key = ++this.#added;
    this.#things.set(key, thing);
    return () => this.#things.delete(key);
  }

  [Symbol.iterator](): Iterator<T> {
    return this.#things.values()[Symbol.iterator]();
  }
}
