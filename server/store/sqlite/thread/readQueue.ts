/**
 * Reads wait here, not in the database's thread: commits go first. Whatever is to be committed finds no more than these
 * few before it, however many readers there are.
 */
const READS_UNDER_WAY = 2;

export class ReadQueue {
  readonly #waiting: (() => void)[] = [];
  #underWay = 0;

  /** Reads as soon as it is its turn. @throws what the read throws. */
  async read<T>(read: () => Promise<T>): Promise<T> {
    if (this.#underWay < READS_UNDER_WAY) this.#underWay++;
    else await new Promise<void>((begin) => this.#waiting.push(begin));
    try {
      return await read();
    } finally {
      this.#next();
    }
  }

  /** Hands the place on. */
  #next(): void {
    const begin = this.#waiting.shift();
    if (begin) begin();
    else this.#underWay--;
  }
}
