/** A moment by both of the hub's clocks, in milliseconds. */
export interface Moment {
  /** Since 1970: what calendars go by. It may be set, even back. */
  readonly now: number;
  /** Lived through: what durations go by. Only differences mean something. */
  readonly awake: number;
}

/** Time comes in through here, so that a test can hold it. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Milliseconds lived through, without the time for which the process or its machine was stopped. */
  awake(): number;
  /** Calls `fn` once, `delayMs` from now. @returns a function that cancels it. */
  after(delayMs: number, fn: () => void): () => void;
}

/** By how much the two clocks must have come apart; less is left to add up. */
export const JUMP_MS = 1_000;

export const momentOf = (clock: Clock): Moment => ({ now: clock.now(), awake: clock.awake() });

/** How far the two clocks have come apart, since they were followed last. */
export class ClockDrift {
  /** Wall clock less time lived through. */
  #offset: number;

  constructor({ now, awake }: Moment) {
    this.#offset = now - awake;
  }

  /** By how much, ms: positive when the wall clock was put forward, or the hub was stopped. */
  by({ now, awake }: Moment): number {
    return now - awake - this.#offset;
  }

  /** Counts anew from this moment. */
  follow({ now, awake }: Moment): void {
    this.#offset = now - awake;
  }
}

/** Calls `fn` every `ms`, first after `ms`. @returns a function that stops it. */
export function every(clock: Clock, ms: number, fn: () => void): () => void {
  let cancel = () => {};
  const again = () => {
    cancel = clock.after(ms, () => {
      again();
      fn();
    });
  };
  again();
  return () => cancel();
}

/** A hub reads its clock every second: after a longer gap, process or machine was stopped meanwhile. */
const LONGEST_GAP_MS = 2_000;

/**
 * Turns a clock that is never set into one that stands still while the process does.
 *
 * @param steady milliseconds, only ever rising.
 */
export function awakeTime(steady: () => number): () => number {
  let [seenAt, lived] = [steady(), 0];
  return () => {
    const at = steady();
    lived += Math.min(at - seenAt, LONGEST_GAP_MS);
    seenAt = at;
    return Math.floor(lived);
  };
}

/** Longer delays overflow Node's timers and would fire at once. */
const MAX_DELAY_MS = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: Date.now,
  awake: awakeTime(() => performance.now()),
  after(delayMs, fn) {
    const timer = setTimeout(fn, Math.min(Math.max(0, delayMs), MAX_DELAY_MS));
    timer.unref();
    return () => clearTimeout(timer);
  },
};
