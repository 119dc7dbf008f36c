/** Keys in one of the two generations that are remembered. */
const GENERATION = 4_096;

/**
 * Who asked last with each claim key: what was claimed for whoever asked before is not taken back, because it was given
 * to whoever asked again.
 */
export class LastAsked {
  #young = new Map<string, number>();
  #old = new Map<string, number>();
  #serial = 0;

  /** Somebody asks with this key. @returns whether nobody has asked with it since, as far as is remembered. */
  asks(key: string): () => boolean {
    const serial = ++this.#serial;
    if (this.#young.size >= GENERATION) [this.#old, this.#young] = [this.#young, new Map()];
    this.#young.set(key, serial);
    return () => (this.#young.get(key) ?? this.#old.get(key) ?? serial) === serial;
  }
}
