/**
 * Callers of `claim_next` that wait for a task: a line for each set of queues, first come first served.
 *
 * A waiter is `trying` (a claim is under way for it), `waiting`, or `called` (a task may be there for it, it has not
 * tried yet). A task that becomes claimable calls the first that is waiting. A line that is known to be empty
 * spares its waiters a vain try: whoever comes to it waits at once.
 *
 * Nothing is missed: a waiter stands in line before it tries, and a line counts as empty only if it was not called
 * between the beginning of a vain try and its end. A call that its waiter does not use is passed on.
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

/** How a caller waits, and how it tries. */
export interface Claimant<T> {
  /** Whose tasks it takes: addresses, a space between them. */
  queues: string;
  waitMs: number;
  /** Ends the waiting when the caller leaves. */
  gone: Cancellation | undefined;
  /** Claims the next task of these queues. */
  tryOnce: () => Promise<T>;
  /** Whether a try has found one. */
  found: (tried: T) => boolean;
  /** Stands for this claim on whichever connection it is asked: it may have been given a task already. */
  key: string | undefined;
}

interface Line {
  readonly waiters: Set<Waiter>;
  /** How often somebody was called. */
  calls: number;
  isEmpty: boolean;
}

const NONE: ReadonlySet<Line> = new Set();

export class ClaimLines {
  readonly #clock: Clock;
  readonly #lines = new Map<string, Line>();
  /** Lines whose waiters take the tasks of an address. */
  readonly #at = new Map<string, Set<Line>>();
  #earliest = Number.POSITIVE_INFINITY;
  #callOff = () => {};
  #isClosed = false;
  readonly #byKey = new Map<string, Waiter>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** A task for an address is on its way into the next commit. */
  expect(address: string): void {
    for (const line of this.#at.get(address) ?? NONE) {
      const waiter = firstWaiting(line);
      if (!waiter?.hasKey) continue;
      call(line, waiter);
      return;
    }
  }

  /** Tells the lines of what was committed. A task that was taken at once calls nobody. */
  committed(entries: readonly LogEntry[]): void {
    if (this.#lines.size === 0) return;
    const ready = new Map<string, string>();
    for (const { id, kind, to, claimable } of entries) {
      if (claimable) ready.set(id, to);
      else if (kind === "claimed") ready.delete(id);
    }
    for (const to of ready.values()) for (const line of this.#at.get(to) ?? NONE) call(line, firstWaiting(line));
  }

  /** Calls everyone: entries went by unseen. */
  callAll(): void {
    for (const line of this.#lines.values()) {
      call(line, undefined);
      for (const waiter of line.waiters) if (waiter.state === "waiting") waiter.call();
    }
  }

  /**
   * Waits in line for a task.
   *
   * @returns what the last try gave; undefined when none was worth making before the time was over.
   */
  async claim<T>(claimant: Claimant<T>): Promise<T | undefined> {
    const { queues, waitMs, gone, key } = claimant;
    const line = this.#lines.get(queues) ?? this.#open(queues);
    const waiter = new Waiter(this.#clock.awake() + waitMs, key !== undefined);
    line.waiters.add(waiter);
    if (key !== undefined) this.#byKey.set(key, waiter);
    this.#watch(waiter.until);
    const stay = gone?.onCancel(() => waiter.end());
    try {
      return await this.#wait(line, waiter, claimant);
    } finally {
      stay?.();
      if (key !== undefined && this.#byKey.get(key) === waiter) this.#byKey.delete(key);
      this.#leave(queues, line, waiter);
    }
  }

  async #wait<T>(line: Line, waiter: Waiter, { tryOnce, found, key }: Claimant<T>): Promise<T | undefined> {
    let tried: T | undefined;
    let isWorthTrying = key !== undefined;
    while (!waiter.isOver && !this.#isClosed) {
      if (isWorthTrying || !line.isEmpty) tried = await tryInLine(line, waiter, tryOnce, found);
      if (tried !== undefined && found(tried)) return tried;
      isWorthTrying = false;
      if (line.isEmpty) await waiter.called();
    }
    return tried;
  }

  /** Ends the waiting of whoever asked with this key before: the answer would go to a connection that is given up. */
  giveUp(key: string): void {
    this.#byKey.get(key)?.end();
  }

  /** Ends all waiting. */
  close(): void {
    this.#isClosed = true;
    this.#callOff();
    this.#endUntil(Number.POSITIVE_INFINITY);
  }

  #open(queues: string): Line {
    const line: Line = { waiters: new Set(), calls: 0, isEmpty: false };
    this.#lines.set(queues, line);
    for (const address of addressesOf(queues)) this.#at.set(address, (this.#at.get(address) ?? new Set()).add(line));
    return line;
  }

  #close(queues: string, line: Line): void {
    this.#lines.delete(queues);
    for (const address of addressesOf(queues)) {
      const lines = this.#at.get(address);
      lines?.delete(line);
      if (lines?.size === 0) this.#at.delete(address);
    }
  }

  #leave(queues: string, line: Line, waiter: Waiter): void {
    line.waiters.delete(waiter);
    if (line.waiters.size === 0) this.#close(queues, line);
    else if (waiter.state !== "waiting") firstWaiting(line)?.call(); // it was called, or its try has failed
  }

  #watch(until: number): void {
    if (until >= this.#earliest) return;
    this.#earliest = until;
    this.#callOff();
    this.#callOff = this.#clock.after(until - this.#clock.awake(), () => {
      this.#earliest = Number.POSITIVE_INFINITY;
      this.#watch(this.#endUntil(this.#clock.awake()));
    });
  }

  /** Ends whoever has waited until `now`. @returns when the next one has. */
  #endUntil(now: number): number {
    let next = Number.POSITIVE_INFINITY;
    for (const { waiters } of this.#lines.values()) {
      for (const waiter of waiters) {
        if (waiter.until <= now) waiter.end();
        else next = Math.min(next, waiter.until);
      }
    }
    return next;
  }
}

class Waiter {
  /** On the clock of what the hub lived through. */
  readonly until: number;
  /** Whether it may ask again for what it was given. */
  readonly hasKey: boolean;
  state: "trying" | "waiting" | "called" = "waiting";
  isOver = false;
  #resume: (() => void) | undefined;

  constructor(until: number, hasKey: boolean) {
    this.until = until;
    this.hasKey = hasKey;
  }

  /** Resolves when it is called, or its time is over. */
  called(): Promise<void> {
    if (this.isOver) return Promise.resolve();
    return new Promise((resolve) => {
      this.#resume = resolve;
    });
  }

  call(): void {
    this.state = "called";
    this.#resume?.();
  }

  end(): void {
    this.isOver = true;
    this.#resume?.();
  }
}

async function tryInLine<T>(line: Line, waiter: Waiter, tryOnce: () => Promise<T>, found: (tried: T) => boolean) {
  const { calls } = line;
  waiter.state = "trying";
  const tried = await tryOnce();
  waiter.state = "waiting";
  if (!found(tried) && line.calls === calls) line.isEmpty = true;
  return tried;
}

function call(line: Line, waiter: Waiter | undefined): void {
  line.calls++;
  line.isEmpty = false;
  waiter?.call();
}

function firstWaiting({ waiters }: Line): Waiter | undefined {
  for (const waiter of waiters) if (waiter.state === "waiting" && !waiter.isOver) return waiter;
  return undefined;
}
