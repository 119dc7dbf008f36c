/** Callers of `claim_next` that wait for a task, first come first served within each recipient. */
import type { LogEntry } from "../store/store.ts";

interface Waiter {
  wake: () => void;
}

export class ClaimWaiters {
  readonly #queues = new Map<string, Set<Waiter>>();

  /** Calls the first waiters of each recipient for whom a task became claimable: one a task. */
  committed(entries: readonly LogEntry[]): void {
    if (this.#queues.size === 0) return;
    for (const entry of entries) if (entry.claimable) this.#callFirst(entry.to);
  }

  /** Calls everybody, so that nobody waits for a hub that closes. */
  callAll(): void {
    for (const queue of this.#queues.values()) for (const waiter of [...queue]) waiter.wake();
  }

  /** Resolves when it is this waiter's turn to try, or when `signal` aborts. */
  wait(recipient: string, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const queue = this.#queues.get(recipient) ?? new Set();
      this.#queues.set(recipient, queue);
      const done = () => {
        queue.delete(waiter);
        if (queue.size === 0 && this.#queues.get(recipient) === queue) this.#queues.delete(recipient);
        signal.removeEventListener("abort", done);
        resolve();
      };
      const waiter: Waiter = { wake: done };
      queue.add(waiter);
      if (signal.aborted) done();
      else signal.addEventListener("abort", done, { once: true });
    });
  }

  #callFirst(recipient: string): void {
    for (const waiter of this.#queues.get(recipient) ?? []) {
      waiter.wake();
      return;
    }
  }
}
