import { type Event, type EventKind, parseCursor } from "../../shared/index.ts";

/** The kinds after which a message does not change any more, unless somebody asks for another try. */
const FINAL_KINDS: ReadonlySet<EventKind> = new Set(["completed", "failed", "cancelled", "deleted"]);

export const isFinal = (event: Event) => FINAL_KINDS.has(event.kind);

const REMEMBERED = 8_192;

/**
 * Which messages ended lately. Tells whether the end of a message may have passed unnoticed: only then its state has
 * to be read.
 *
 * Invariant: every end that this stream told of with a seq above `#since` is remembered.
 */
export class Finals {
  readonly #seqs = new Map<string, number>();
  #since = Number.POSITIVE_INFINITY;

  /** The stream begins at this cursor, and what is known of another is worth nothing. */
  begin(cursor: string): void {
    this.#seqs.clear();
    this.#since = parseCursor(cursor).seq;
  }

  add(event: Event): void {
    this.#seqs.set(event.message.id, event.seq);
    if (this.#seqs.size <= REMEMBERED) return;
    const oldest = this.#seqs.keys().next().value as string;
    this.#since = Math.max(this.#since, this.#seqs.get(oldest) as number);
    this.#seqs.delete(oldest);
  }

  /**
   * @param seq of the last log entry that is known to have changed the message.
   */
  mayHaveEnded(id: string, seq: number | undefined): boolean {
    return seq === undefined || seq < this.#since || this.#seqs.has(id);
  }
}
