/**
 * Callers of `claim_next` that wait for a task: one queue per set of addresses.
 *
 * A task that becomes claimable calls the first that is waiting. Nothing is missed: a waiter is in the queue before it
 * tries, and a call that its waiter does not use is passed on.
 *
 * A task that is being sent calls ahead of its commit: the try rides in the same one. Only a waiter with a key is called
 * so early, since it may ask again if that commit seems to fail.
 *
 * One timer ends all that have waited long enough, armed at the earliest.
 */
import type { Clock } from "../../clock.ts";
import { addressesOf } from "../../core/view.ts";
import type { LogEntry } from "../../store/store.ts";
import type { Cancellation } from "../cancellation.ts";
import { type Waiter, WaitQueue } from "./waitQueue.ts";

/** How a caller waits, and how it tries. */
interface Claimant<T> {
  /** Whose tasks it takes; several have a space between them. */
  addresses: string;
  waitMs: number;
  /** Ends the waiting when the caller leaves. */
  gone: Cancellation | undefined;
  /** Claims the next of these tasks. */
  tryOnce: () => Promise<T>;
  /** Whether a try has found one. */
  found: (tried: T) => boolean;
  /** Identifies this claim on any connection: it may have been given a task already. */
  key: string | undefined;
}

const NONE: ReadonlySet<WaitQueue> = new Set();

export class ClaimWaiters {
  readonly #clock: Clock;
  readonly #queues = new Map<string, WaitQueue>();
  /** Queues whose waiters take the tasks of an address. */
  readonly #byAddress = new Map<string, Set<WaitQueue>>();
  #earliest = Number.POSITIVE_INFINITY;
  #cancelTimer = () => {};
  #isClosed = false;
  readonly #byKey = new Map<string, Waiter>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** A task for an address is on its way into the next commit. */
  expect(address: string): void {
    for (const queue of this.#byAddress.get(address) ?? NONE) {
      const { first } = queue;
      if (!first?.hasKey) continue;
      queue.call(first);
      return;
    }
  }

  /** Calls those for whom a commit has a task. A task that was taken at once calls nobody. */
  committed(entries: readonly LogEntry[]): void {
    if (this.#queues.size === 0) return;
    const ready = new Map<string, string>();
    for (const { id, kind, to, claimable } of entries) {
      if (claimable) ready.set(id, to);
      else if (kind === "claimed") ready.delete(id);
    }
    for (const to of ready.values()) for (const queue of this.#byAddress.get(to) ?? NONE) queue.call(queue.first);
  }

  /** Calls everyone: entries went by unseen. */
  callAll(): void {
    for (const queue of this.#queues.values()) {
      queue.call(undefined);
      for (const waiter of queue.waiters) if (waiter.isWaiting) waiter.call();
    }
  }

  /**
   * Waits for a task, behind those who came before.
   *
   * @returns what the last try gave; undefined when none was worth making before the time was over.
   */
  async claim<T>(claimant: Claimant<T>): Promise<T | undefined> {
    const { addresses, waitMs, gone, key } = claimant;
    const queue = this.#queues.get(addresses) ?? this.#open(addresses);
    const waiter = queue.join(this.#clock.awake() + waitMs, key !== undefined);
    if (key !== undefined) this.#byKey.set(key, waiter);
    this.#watch(waiter.until);
    const stopWatching = gone?.onCancel(() => waiter.end());
    try {
      return await this.#wait(queue, waiter, claimant);
    } finally {
      stopWatching?.();
      if (key !== undefined && this.#byKey.get(key) === waiter) this.#byKey.delete(key);
      this.#leave(addresses, queue, waiter);
    }
  }

  async #wait<T>(queue: WaitQueue, waiter: Waiter, { tryOnce, found, key }: Claimant<T>): Promise<T | undefined> {
    let tried: T | undefined;
    let isWorthTrying = key !== undefined;
    while (!waiter.isOver && !this.#isClosed) {
      if (isWorthTrying || !queue.hasNoTask) tried = await queue.try(waiter, tryOnce, found);
      if (tried !== undefined && found(tried)) return tried;
      isWorthTrying = false;
      if (queue.hasNoTask) await waiter.called();
    }
    return tried;
  }

  /** Ends the waiting of whoever asked with this key before: the answer would go to an abandoned connection. */
  giveUp(key: string): void {
    this.#byKey.get(key)?.end();
  }

  /** Ends all waiting. */
  close(): void {
    this.#isClosed = true;
    this.#cancelTimer();
    this.#endUntil(Number.POSITIVE_INFINITY);
  }

  #open(addresses: string): WaitQueue {
    const queue = new WaitQueue();
    this.#queues.set(addresses, queue);
    for (const address of addressesOf(addresses))
      this.#byAddress.set(address, (this.#byAddress.get(address) ?? new Set()).add(queue));
    return queue;
  }

  #close(addresses: string, queue: WaitQueue): void {
    this.#queues.delete(addresses);
    for (const address of addressesOf(addresses)) {
      const queues = this.#byAddress.get(address);
      queues?.delete(queue);
      if (queues?.size === 0) this.#byAddress.delete(address);
    }
  }

  #leave(addresses: string, queue: WaitQueue, waiter: Waiter): void {
    queue.leave(waiter);
    if (queue.isEmpty) this.#close(addresses, queue);
  }

  #watch(until: number): void {
    if (until >= this.#earliest) return;
    this.#earliest = until;
    this.#cancelTimer();
    this.#cancelTimer = this.#clock.after(until - this.#clock.awake(), () => {
      this.#earliest = Number.POSITIVE_INFINITY;
      this.#watch(this.#endUntil(this.#clock.awake()));
    });
  }

  /** Ends whoever has waited until `now`. @returns when the next one has. */
  #endUntil(now: number): number {
    let next = Number.POSITIVE_INFINITY;
    for (const { waiters } of this.#queues.values()) {
      for (const waiter of waiters) {
        if (waiter.until <= now) waiter.end();
        else next = Math.min(next, waiter.until);
      }
    }
    return next;
  }
}
