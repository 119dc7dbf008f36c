import { type Event, type EventKind, parseCursor } from "../../shared/index.ts";

/** The kinds after which a message does not change any more, unless somebody asks for another try. */
export const FINAL_KINDS: readonly EventKind[] = ["completed", "failed", "cancelled", "deleted"];

export const isFinal = (event: Event) => FINAL_KINDS.includes(event.kind);

/** Ends in one of the two generations that are remembered. */
const GENERATION = 4_096;

/**
 * Which messages ended lately. Tells whether the end of a message may have passed unnoticed: only then its state has
 * to be read.
 *
 * Invariant: every end that this stream told of with a seq above `#since` is remembered.
 */
export class Finals {
  #young = new Map<string, number>();
  #old = new Map<string, number>();
  #since = Number.POSITIVE_INFINITY;

  /** The stream begins at this cursor, and what is known of another is worth nothing. */
  begin(cursor: string): void {
    this.#young.clear();
    this.#old.clear();
    this.#since = parseCursor(cursor).seq;
  }

  /** The stream does not tell of ends. */
  pause(): void {
    this.#since = Number.POSITIVE_INFINITY;
  }

  add(event: Event): void {
    this.#young.set(event.message.id, event.seq);
    if (this.#young.size < GENERATION) return;
    for (const seq of this.#old.values()) if (seq > this.#since) this.#since = seq;
    this.#old = this.#young;
    this.#young = new Map();
  }

  /**
   * @param seq of the last log entry that is known to have changed the message.
   */
  mayHaveEnded(id: string, seq: number | undefined): boolean {
    return seq === undefined || seq < this.#since || this.#young.has(id) || this.#old.has(id);
  }
}
