import { LONGEST_TIMER_MS } from "../sdk/clock.ts";
import { isRetryable } from "../sdk/errors.ts";

/** A call made again and again. There is one at a time, and it keeps the process alive on purpose. */
export class Heartbeat {
  #timer: ReturnType<typeof setInterval> | undefined;

  /**
   * Beats now and then every `intervalMs`, instead of an earlier heartbeat.
   *
   * @param refused is called the first time that a beat is refused, or cannot be sent at all; not when no hub answers,
   *   because one may answer the next.
   * @throws RangeError when no timer can wait that long.
   */
  start(beat: () => Promise<unknown>, intervalMs: number, refused: (refusal: Error) => void): void {
    if (!Number.isInteger(intervalMs) || intervalMs < 1 || intervalMs > LONGEST_TIMER_MS) {
      throw new RangeError(`interval must be a whole number of milliseconds from 1 to ${LONGEST_TIMER_MS}`);
    }
    let isTold = false;
    const run = () => {
      beat().catch((error) => {
        if (isTold || isRetryable(error)) return;
        isTold = true;
        refused(error);
      });
    };
    this.stop();
    this.#timer = setInterval(run, intervalMs);
    run();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}
