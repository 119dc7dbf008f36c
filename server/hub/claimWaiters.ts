/**
 * Callers of `claim_next` that wait for a task, first come first served within each recipient.
 *
 * A waiter stands in line before it tries, so that a task which comes in the very batch of its vain try is not
 * missed. It keeps its ticket, and so its place, over all its tries. One call stands for one claimable task: a
 * waiter that was called but had found a task already passes the call on.
 */
import type { LogEntry } from "../store/store.ts";

export interface Turn {
  /** Resolves when a task may be there for this waiter. */
  readonly called: Promise<void>;
  /** Leaves the line. @param done whether the waiter will not try again: a call it got is passed on then. */
  leave(done: boolean): void;
}

interface Waiter {
  readonly ticket: number;
  wasCalled: boolean;
  call: () => void;
}

export class ClaimWaiters {
  /** By recipient, lowest ticket first. */
  readonly #lines = new Map<string, Waiter[]>();
  #tickets = 0;

  /** A place in line, kept over several turns. */
  ticket(): number {
    return this.#tickets++;
  }

  join(recipient: string, ticket: number): Turn {
    const waiter: Waiter = { ticket, wasCalled: false, call: () => {} };
    const called = new Promise<void>((resolve) => {
      waiter.call = () => {
        waiter.wasCalled = true;
        resolve();
      };
    });
    this.#insert(recipient, waiter);
    return { called, leave: (done) => this.#leave(recipient, waiter, done) };
  }

  /** Calls the first waiters of each recipient for whom a task became claimable: one a task. */
  committed(entries: readonly LogEntry[]): void {
    if (this.#lines.size === 0) return;
    for (const entry of entries) if (entry.claimable) this.#callFirst(entry.to);
  }

  #insert(recipient: string, waiter: Waiter): void {
    const line = this.#lines.get(recipient) ?? [];
    this.#lines.set(recipient, line);
    const behind = line.findIndex((other) => other.ticket > waiter.ticket);
    if (behind < 0) line.push(waiter);
    else line.splice(behind, 0, waiter);
  }

  #leave(recipient: string, waiter: Waiter, done: boolean): void {
    const line = this.#lines.get(recipient) ?? [];
    const at = line.indexOf(waiter);
    if (at >= 0) line.splice(at, 1);
    if (line.length === 0) this.#lines.delete(recipient);
    if (done && waiter.wasCalled) this.#callFirst(recipient);
  }

  #callFirst(recipient: string): void {
    this.#lines
      .get(recipient)
      ?.find((waiter) => !waiter.wasCalled)
      ?.call();
  }
}
