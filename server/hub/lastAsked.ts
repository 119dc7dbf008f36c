/** Keys in one of the two generations that are remembered. */
const GENERATION = 4_096;

interface Asked {
  readonly socket: number | undefined;
}

/**
 * Who asked last with each claim key. What was claimed for whoever asked before is not taken back, because it was given
 * to whoever asked again; and what arrives late over a socket that was given up asks for nobody.
 */
export class LastAsked {
  #young = new Map<string, Asked>();
  #old = new Map<string, Asked>();

  /**
   * Somebody asks with this key.
   *
   * @param socket its number, where it asks over one.
   * @returns whether nobody has asked with it since, as far as is remembered; undefined when somebody has already, on a
   *   younger socket.
   */
  asks(key: string, socket: number | undefined): (() => boolean) | undefined {
    const before = this.#last(key)?.socket;
    if (before !== undefined && socket !== undefined && before > socket) return undefined;
    const asked = { socket };
    if (this.#young.size >= GENERATION) [this.#old, this.#young] = [this.#young, new Map()];
    this.#young.set(key, asked);
    return () => (this.#last(key) ?? asked) === asked;
  }

  #last(key: string): Asked | undefined {
    return this.#young.get(key) ?? this.#old.get(key);
  }
}
