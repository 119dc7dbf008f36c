/** The newest stretch of the log, kept in memory and bounded, so that a reader a little behind needs no disk. */

import { type Reader, viewOf } from "../core/view.ts";
import { assemble, ERASED } from "../store/json/eventJson.ts";
import { LogSliceMaker } from "../store/logSlice.ts";
import type { LogEntry, LogSlice } from "../store/store.ts";

const TAIL_ENTRIES = 8_192;
const TAIL_CHARS = 8 * 1024 * 1024;

export class LogTail {
  /** Contiguous: `#entries[i]` has seq `#first + i`. */
  #entries: LogEntry[] = [];
  #first: number;
  #chars = 0;

  constructor(head: number) {
    this.#first = head + 1;
  }

  /** Whether everything past `seq` is here. */
  covers(seq: number): boolean {
    return seq >= this.#first - 1;
  }

  push(entries: readonly LogEntry[]): void {
    let deleted: Set<string> | undefined;
    for (const entry of entries) {
      this.#entries.push(entry);
      this.#chars += entry.json.length;
      if (entry.kind === "deleted") deleted = (deleted ?? new Set()).add(entry.id);
    }
    if (deleted) this.#erase(deleted);
    if (this.#entries.length > TAIL_ENTRIES || this.#chars > TAIL_CHARS) this.#trim();
  }

  /** Starts over at a head that was reached without passing by here. */
  restart(head: number): void {
    this.#entries = [];
    this.#first = head + 1;
    this.#chars = 0;
  }

  /** What the reader may see past `after`, which the tail must cover. */
  slice(reader: Reader, after: number, maxEvents: number, maxBytes: number): LogSlice {
    const maySee = viewOf(reader);
    const slice = new LogSliceMaker(maxEvents, maxBytes);
    for (let i = after + 1 - this.#first; i < this.#entries.length; i++) {
      const entry = this.#entries[i] as LogEntry;
      if (maySee(entry) && !slice.take(entry)) return slice.cut();
    }
    return slice.end(this.#first + this.#entries.length - 1);
  }

  /** Drops the older half at once: cheaper than one at a time. */
  #trim(): void {
    let drop = 0;
    const excess = Math.max(this.#entries.length - TAIL_ENTRIES / 2, 0);
    while (drop < this.#entries.length && (drop < excess || this.#chars > TAIL_CHARS / 2)) {
      this.#chars -= (this.#entries[drop] as LogEntry).json.length;
      drop++;
    }
    this.#entries = this.#entries.slice(drop);
    this.#first += drop;
  }

  /** One pass for all: pruning deletes many at once. */
  #erase(ids: ReadonlySet<string>): void {
    for (const [i, entry] of this.#entries.entries()) {
      if (!ids.has(entry.id) || entry.kind === "deleted") continue;
      const json = assemble(entry.json.slice(0, entry.bodiesAt), ERASED);
      this.#chars += json.length - entry.json.length;
      this.#entries[i] = { ...entry, json };
    }
  }
}
