import { LONGEST_TIMER_MS } from "../sdk/clock.ts";
import { isRetryable } from "../sdk/errors.ts";

/** Something that is said again and again. One at a time, and it keeps the process alive, as whoever starts it wants. */
export class Heartbeat {
  #timer: ReturnType<typeof setInterval> | undefined;

  /**
   * Beats now and then every `intervalMs`, instead of an earlier heartbeat.
   *
   * @param refused is told the first time that a beat is refused, or cannot be sent at all. That no hub hears it is
   *   nothing to tell: the next one may be heard.
   * @throws RangeError when no timer can wait so long.
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
