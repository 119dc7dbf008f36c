/**
 * Receipts of readers without a socket: asking for what comes after a page says that the page has arrived.
 * Kept per run, for its last page only, and bounded.
 */
const RUNS_KEPT = 10_000;

interface LastPage {
  upTo: number;
  received: readonly string[];
}

export class PollReceipts {
  readonly #pages = new Map<string, LastPage>();

  /** A page with messages for the reader went out. */
  sent(reader: string, run: string, page: LastPage): void {
    const key = `${reader} ${run}`;
    this.#pages.delete(key);
    this.#pages.set(key, page);
    if (this.#pages.size > RUNS_KEPT) this.#pages.delete(this.#pages.keys().next().value as string);
  }

  /** The reader asks for what comes after `seq`. @returns ids of messages that have arrived, then; undefined: the run is unknown. */
  acknowledge(reader: string, run: string, seq: number): readonly string[] | undefined {
    const key = `${reader} ${run}`;
    const page = this.#pages.get(key);
    if (!page) return undefined;
    if (page.upTo > seq) return [];
    this.#pages.set(key, { upTo: page.upTo, received: [] });
    return page.received;
  }
}
