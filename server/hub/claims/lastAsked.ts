import QuickLRU from "quick-lru";

/** At least this many claim keys are remembered. */
const REMEMBERED = 4_096;

interface Asked {
  readonly socketNumber: number | undefined;
}

/**
 * Who asked last with each claim key. What was claimed for whoever asked before is not taken back, because it was given
 * to whoever asked again; and what arrives late over a socket that was given up asks for nobody.
 */
export class LastAsked {
  readonly #asked = new QuickLRU<string, Asked>({ maxSize: REMEMBERED });

  /**
   * Somebody asks with this key.
   *
   * @param socketNumber of its socket, if it asks over one.
   * @returns whether nobody has asked with it since, as far as is remembered; undefined when somebody has already, on a
   *   younger socket.
   */
  asks(key: string, socketNumber: number | undefined): (() => boolean) | undefined {
    const before = this.#asked.peek(key)?.socketNumber;
    if (before !== undefined && socketNumber !== undefined && before > socketNumber) return undefined;
    const asked = { socketNumber };
    this.#asked.set(key, asked);
    return () => (this.#asked.peek(key) ?? asked) === asked;
  }
}
