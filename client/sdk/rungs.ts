/**
 * Waits for the rungs of delivery that come before a message's end: delivered, seen, claimed. The events tell of them;
 * state is read once when a wait begins, and wherever the stream was lost or does not show the message.
 */
import { type Event, type EventKind, fold, type Message } from "../../shared/index.ts";
import { type Clock, sleep } from "./clock.ts";
import { isRetryable, TaskFailed } from "./errors.ts";
import { FINAL_KINDS } from "./finals.ts";

export type Rung = "delivered" | "seen" | "claimed";

const REACHED: Record<Rung, (message: Message) => boolean> = {
  delivered: ({ delivered_at }) => delivered_at !== undefined,
  seen: ({ seen_at }) => seen_at !== undefined,
  claimed: ({ claimed_at }) => claimed_at !== undefined,
};

/** What tells of rungs, or that there will be none. */
export const RUNG_KINDS: readonly EventKind[] = ["delivered", "seen", "claimed", ...FINAL_KINDS];

interface Wait {
  readonly rung: Rung;
  message: Message;
  readonly resolve: (message: Message) => void;
  readonly reject: (error: Error) => void;
}

const AGAIN_MS = 1_000;

export class Rungs {
  readonly #read: (id: string) => Promise<Message>;
  readonly #clock: Clock;
  readonly #shows: (message: Message) => boolean;
  readonly #onInterest: (interested: boolean) => void;
  readonly #waits = new Set<Wait>();
  #ended: Error | undefined;

  constructor(
    read: (id: string) => Promise<Message>,
    clock: Clock,
    shows: (message: Message) => boolean,
    onInterest: (interested: boolean) => void,
  ) {
    this.#read = read;
    this.#clock = clock;
    this.#shows = shows;
    this.#onInterest = onInterest;
  }

  get waiting(): number {
    return this.#waits.size;
  }

  /** @throws TaskFailed when the message ends, or is deleted, without having come so far; what `end` was given. */
  reach(message: Message, rung: Rung): Promise<Message> {
    if (this.#ended) return Promise.reject(this.#ended);
    return new Promise((resolve, reject) => {
      const wait: Wait = { rung, message, resolve, reject };
      this.#waits.add(wait);
      if (this.#waits.size === 1) this.#onInterest(true);
      void this.#look(wait);
    });
  }

  readonly observe = (event: Event): void => {
    for (const wait of this.#waits) {
      const { id, seq = 0 } = wait.message;
      if (event.message.id !== id || event.seq <= seq) continue;
      this.#judge(wait, fold(wait.message, event) ?? { ...wait.message, erased: true });
    }
  };

  /** The stream lost its continuity: what was reached meanwhile is read. */
  restart(): void {
    for (const wait of this.#waits) void this.#look(wait);
  }

  end(error: Error): void {
    this.#ended = error;
    for (const wait of this.#waits) this.#settle(wait, () => wait.reject(error));
  }

  /** Reads how the message stands; again and again where nothing else would tell. */
  async #look(wait: Wait): Promise<void> {
    do {
      try {
        this.#judge(wait, await this.#read(wait.message.id));
      } catch (error) {
        if (!isRetryable(error)) this.#settle(wait, () => wait.reject(error as Error));
      }
      if (this.#waits.has(wait) && !this.#shows(wait.message)) await sleep(this.#clock, AGAIN_MS);
    } while (this.#waits.has(wait) && !this.#shows(wait.message));
  }

  #judge(wait: Wait, message: Message): void {
    if ((message.seq ?? 0) < (wait.message.seq ?? 0)) return;
    wait.message = message;
    if (!message.erased && REACHED[wait.rung](message)) this.#settle(wait, () => wait.resolve(message));
    else if (message.erased || message.status === "complete" || message.status === "failed") {
      this.#settle(wait, () => wait.reject(new TaskFailed(message, `it ended without being ${wait.rung}`)));
    }
  }

  #settle(wait: Wait, tell: () => void): void {
    if (!this.#waits.delete(wait)) return;
    if (this.#waits.size === 0) this.#onInterest(false);
    tell();
  }
}
