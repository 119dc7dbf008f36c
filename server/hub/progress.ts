/**
 * Progress, coalesced: of what a worker says within a second about one task, the first is told at once and the newest
 * at the second's end, so that a chatty worker costs nobody else; or before, when its speaker ends the task, so that the
 * last word is in the message. Everyone who said something is answered when the newest is durable.
 */
import type { Clock } from "../clock.ts";
import type { Done } from "../store/groupCommit.ts";
import { withResolvers } from "../withResolvers.ts";

const QUIET_MS = 1_000;

/** What is said next about a task, once its quiet time is over. */
interface Waiting {
  tell: () => Promise<Done>;
  readonly told: Promise<Done>;
  readonly settle: (told: Promise<Done>) => void;
}

export class ProgressTeller {
  readonly #clock: Clock;
  /** Tasks told of within the last second. */
  readonly #quiet = new Map<string, Waiting | undefined>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * @param key the task, and who speaks of it: a stranger's word never takes the holder's place.
   * @returns the outcome of telling the newest.
   */
  say(key: string, tell: () => Promise<Done>): Promise<Done> {
    const waiting = this.#quiet.get(key);
    if (waiting) {
      waiting.tell = tell;
      return waiting.told;
    }
    if (this.#quiet.has(key)) return this.#wait(key, tell);
    this.#rest(key);
    return tell();
  }

  /** What waits is told now, because its speaker is about to end what it speaks of. */
  hasten(key: () => string): void {
    if (this.#quiet.size === 0) return;
    const waiting = this.#quiet.get(key());
    if (!waiting) return;
    this.#quiet.set(key(), undefined);
    waiting.settle(waiting.tell());
  }

  #wait(key: string, tell: () => Promise<Done>): Promise<Done> {
    const { promise: told, resolve: settle } = withResolvers<Done>();
    this.#quiet.set(key, { tell, told, settle });
    return told;
  }

  #rest(key: string): void {
    this.#quiet.set(key, undefined);
    this.#clock.after(QUIET_MS, () => this.#over(key));
  }

  #over(key: string): void {
    const waiting = this.#quiet.get(key);
    this.#quiet.delete(key);
    if (!waiting) return;
    this.#rest(key);
    waiting.settle(waiting.tell());
  }
}
