/**
 * Throttles progress: of what a worker reports about one task within a second, the first is written at once and the
 * newest at the second's end, so that a chatty worker costs nobody else; or earlier, if the worker ends the task, so
 * that its last report is in the message. Every report is answered when the newest is durable.
 */
import type { Clock } from "../clock.ts";
import type { Done } from "../store/groupCommit.ts";
import { withResolvers } from "../withResolvers.ts";

const INTERVAL_MS = 1_000;

/** The newest report that waits for the end of its second. */
interface Waiting {
  write: () => Promise<Done>;
  readonly written: Promise<Done>;
  readonly resolve: (written: Promise<Done>) => void;
}

export class ProgressThrottle {
  readonly #clock: Clock;
  /** Keys of what was written within the last second; for each, what waits. */
  readonly #recent = new Map<string, Waiting | undefined>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * @param key the task, and who reports: a stranger's word never takes the holder's place.
   * @returns the outcome of writing the newest.
   */
  report(key: string, write: () => Promise<Done>): Promise<Done> {
    const waiting = this.#recent.get(key);
    if (waiting) {
      waiting.write = write;
      return waiting.written;
    }
    if (this.#recent.has(key)) return this.#wait(key, write);
    this.#begin(key);
    return write();
  }

  /** What waits is written now, because who reported it is about to end the task. */
  flush(key: () => string): void {
    if (this.#recent.size === 0) return;
    const waiting = this.#recent.get(key());
    if (!waiting) return;
    this.#recent.set(key(), undefined);
    waiting.resolve(waiting.write());
  }

  #wait(key: string, write: () => Promise<Done>): Promise<Done> {
    const { promise: written, resolve } = withResolvers<Done>();
    this.#recent.set(key, { write, written, resolve });
    return written;
  }

  #begin(key: string): void {
    this.#recent.set(key, undefined);
    this.#clock.after(INTERVAL_MS, () => this.#end(key));
  }

  #end(key: string): void {
    const waiting = this.#recent.get(key);
    this.#recent.delete(key);
    if (!waiting) return;
    this.#begin(key);
    waiting.resolve(waiting.write());
  }
}
