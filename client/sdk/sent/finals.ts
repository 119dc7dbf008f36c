import QuickLRU from "quick-lru";
import { type Event, type EventKind, parseCursor } from "../../../shared/index.ts";

/** The kinds after which a message does not change any more, unless somebody asks for another try. */
export const FINAL_KINDS: readonly EventKind[] = ["completed", "failed", "cancelled", "deleted"];

export const isFinal = (event: Event) => FINAL_KINDS.includes(event.kind);

/** How many ends are remembered at least. */
const REMEMBERED = 4_096;

/**
 * Which messages ended lately. Tells whether the end of a message may have passed unnoticed: only then does its state
 * have to be read.
 *
 * Invariant: every end that this stream brought with a seq above `#since` is remembered.
 */
export class Finals {
  readonly #ends = new QuickLRU<string, number>({ maxSize: REMEMBERED, onEviction: (_, seq) => this.#forget(seq) });
  #since = Number.POSITIVE_INFINITY;

  /** The stream begins at this cursor, and what is known of another is worth nothing. */
  begin(cursor: string): void {
    this.#ends.clear();
    this.#since = parseCursor(cursor).seq;
  }

  /** The stream does not tell of ends. */
  pause(): void {
    this.#since = Number.POSITIVE_INFINITY;
  }

  add(event: Event): void {
    this.#ends.set(event.message.id, event.seq);
  }

  /**
   * @param seq of the last log entry that is known to have changed the message.
   */
  mayHaveEnded(id: string, seq: number | undefined): boolean {
    return seq === undefined || seq < this.#since || this.#ends.has(id);
  }

  #forget(seq: number): void {
    if (seq > this.#since) this.#since = seq;
  }
}
