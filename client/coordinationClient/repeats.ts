import { createHash } from "node:crypto";
import QuickLRU from "quick-lru";
import { HubError } from "../../shared/index.ts";
import { newKey } from "../sdk/calls/ids.ts";

/** How long a call counts as the same one asked again. */
const REMEMBERED_MS = 60_000;
const REMEMBERED_CALLS = 1_000;

/**
 * Makes asking again a repeat. A call that got no answer may have been carried out all the same; when the caller asks
 * for exactly the same again within a minute, it is sent with the same key, and happens once.
 */
export class Repeats {
  readonly #now: () => number;
  /** Calls without an answer, oldest first, by their key. */
  readonly #unanswered = new QuickLRU<string, { what: string; until: number }>({ maxSize: REMEMBERED_CALLS });

  /** @param now milliseconds; only differences mean anything. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /**
   * @param what everything that makes this call the same as another one.
   * @param call carries it out with the key that it is given.
   */
  async once<T>(what: object, call: (key: string) => Promise<T>): Promise<T> {
    const digest = createHash("sha256").update(JSON.stringify(what)).digest("base64");
    const key = this.#take(digest) ?? newKey();
    try {
      return await call(key);
    } catch (error) {
      if (!isAnswer(error)) this.#note(key, digest);
      throw error;
    }
  }

  #take(what: string): string | undefined {
    for (const [key, call] of this.#unanswered.entriesAscending()) {
      const isOver = call.until < this.#now();
      if (!isOver && call.what !== what) continue;
      this.#unanswered.delete(key);
      if (!isOver) return key;
    }
    return undefined;
  }

  #note(key: string, what: string): void {
    this.#unanswered.set(key, { what, until: this.#now() + REMEMBERED_MS });
  }
}

/** Whether the hub has said what became of the call. */
const isAnswer = (error: unknown) => error instanceof HubError && !error.retryable;
