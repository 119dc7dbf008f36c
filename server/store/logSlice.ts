import type { LogEntry, LogSlice } from "./store.ts";

/** Takes entries of the log in order, as many as its bounds allow, and always one. */
export class LogSliceMaker {
  readonly #maxEvents: number;
  readonly #maxBytes: number;
  readonly #entries: LogEntry[] = [];
  #bytes = 0;

  constructor(maxEvents: number, maxBytes: number) {
    this.#maxEvents = maxEvents;
    this.#maxBytes = maxBytes;
  }

  /** @returns whether it fitted; the first that does not fit ends the slice. */
  take(entry: LogEntry): boolean {
    const count = this.#entries.length;
    this.#bytes += Buffer.byteLength(entry.json);
    if (count === this.#maxEvents || (count > 0 && this.#bytes > this.#maxBytes)) return false;
    this.#entries.push(entry);
    return true;
  }

  /** The slice, with more to follow. */
  cut(): LogSlice {
    return { entries: this.#entries, upTo: (this.#entries.at(-1) as LogEntry).seq };
  }

  /** The slice, with nothing more up to `upTo`. */
  end(upTo: number): LogSlice {
    return { entries: this.#entries, upTo };
  }
}
