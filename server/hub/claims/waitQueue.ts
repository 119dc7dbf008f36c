/**
 * Those who wait for the tasks of one set of addresses, first come, first served.
 *
 * A waiter is `trying` (a claim is under way for it), `waiting`, or `called` (a task may be there for it, it has not
 * tried yet). A queue that is known to have no task spares its waiters a vain try: whoever joins it waits at once. It
 * is said to have none only if it was not called between the beginning of a vain try and its end.
 */
export class WaitQueue {
  readonly #waiters = new Set<Waiter>();
  /** How many are waiting: none, where there is more to do than can be done, and then nobody is looked for. */
  #waiting = 0;
  /** How often somebody was called. */
  #calls = 0;
  /** A try was in vain, and nobody was called since. */
  #hasNoTask = false;

  get hasNoTask(): boolean {
    return this.#hasNoTask;
  }

  get isEmpty(): boolean {
    return this.#waiters.size === 0;
  }

  /** In the order in which they came. */
  get waiters(): Iterable<Waiter> {
    return this.#waiters;
  }

  /** The first that is waiting. */
  get first(): Waiter | undefined {
    if (this.#waiting === 0) return undefined;
    for (const waiter of this.#waiters) if (waiter.isWaiting) return waiter;
    return undefined;
  }

  /**
   * @param until when its time is over, on the clock of what the hub lived through.
   * @param hasKey whether it may ask again for what it was given.
   */
  join(until: number, hasKey: boolean): Waiter {
    const waiter = new Waiter(until, hasKey, (isWaiting) => {
      this.#waiting += isWaiting ? 1 : -1;
    });
    this.#waiters.add(waiter);
    return waiter;
  }

  /** It wants nothing more. A call that it did not use is passed on. */
  leave(waiter: Waiter): void {
    waiter.end(); // it counts as waiting no more
    this.#waiters.delete(waiter);
    if (waiter.owesTry) this.call(this.first);
  }

  /** There may be a task. */
  call(waiter: Waiter | undefined): void {
    this.#calls++;
    this.#hasNoTask = false;
    waiter?.call();
  }

  /** A claim for a waiter. */
  async try<T>(waiter: Waiter, tryOnce: () => Promise<T>, found: (tried: T) => boolean): Promise<T> {
    const calls = this.#calls;
    waiter.try();
    const tried = await tryOnce();
    waiter.wait();
    if (!found(tried) && this.#calls === calls) this.#hasNoTask = true;
    return tried;
  }
}

export class Waiter {
  readonly until: number;
  readonly hasKey: boolean;
  readonly #onWaiting: (isWaiting: boolean) => void;
  #state: "trying" | "waiting" | "called" = "waiting";
  #isOver = false;
  #resume: (() => void) | undefined;

  /** @param onWaiting is called when it is one of those who are waiting, and when it is none of them any more. */
  constructor(until: number, hasKey: boolean, onWaiting: (isWaiting: boolean) => void) {
    this.until = until;
    this.hasKey = hasKey;
    this.#onWaiting = onWaiting;
    onWaiting(true);
  }

  get isWaiting(): boolean {
    return this.#state === "waiting" && !this.#isOver;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** Whether it was called and has not tried since, or its try has failed. */
  get owesTry(): boolean {
    return this.#state !== "waiting";
  }

  /** Waits. Resolves when it is called, or its time is over. */
  called(): Promise<void> {
    this.wait(); // a vain try may have come after the call that brought it here
    if (this.#isOver) return Promise.resolve();
    return new Promise((resolve) => {
      this.#resume = resolve;
    });
  }

  call(): void {
    this.#become("called");
    this.#resume?.();
  }

  try(): void {
    this.#become("trying");
  }

  wait(): void {
    this.#become("waiting");
  }

  end(): void {
    const was = this.isWaiting;
    this.#isOver = true;
    if (was) this.#onWaiting(false);
    this.#resume?.();
  }

  #become(state: "trying" | "waiting" | "called"): void {
    const was = this.isWaiting;
    this.#state = state;
    if (was !== this.isWaiting) this.#onWaiting(!was);
  }
}
