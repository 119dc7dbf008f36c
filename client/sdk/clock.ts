/** Time as the SDK sees it. A test hands in a clock that it holds. */
export interface Clock {
  /** Milliseconds; only differences between two readings mean anything. */
  now(): number;
  /** Calls `run` once, `delayMs` from now. @returns what cancels it. */
  after(delayMs: number, run: () => void): () => void;
}

/** The longest that a timer can take, in milliseconds: a longer one would end at once. */
export const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** How long the hub may hold an answer back until there is something to send, in milliseconds. */
export const HOLD_MS = 25_000;

/** The real clock. Its timers never keep a process alive by themselves: `KeepAlive` alone does. */
export const systemClock: Clock = {
  now: () => performance.now(),
  after(delayMs, run) {
    const timer: { unref?: () => void } = setTimeout(run, Math.min(delayMs, LONGEST_TIMER_MS));
    timer.unref?.();
    return () => clearTimeout(timer as NodeJS.Timeout);
  },
};

export const sleep = (clock: Clock, delayMs: number) => new Promise<void>((wake) => clock.after(delayMs, wake));

/** Calls `run` when everything that is due at this moment has had its turn. */
export const atEndOfTurn: (run: () => void) => void =
  typeof setImmediate === "function" ? setImmediate : queueMicrotask;
