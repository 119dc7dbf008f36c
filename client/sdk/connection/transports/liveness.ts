import type { Clock } from "../../clock.ts";

/**
 * Notices that nothing has come for too long. A frame costs one reading of the clock; the one timer looks when it
 * fires whether the silence is long enough, and waits for the rest otherwise.
 */
export class Liveness {
  readonly #clock: Clock;
  readonly #onSilence: () => void;
  #heardAt = 0;
  #limitMs = 0;
  #cancel: (() => void) | undefined;

  constructor(clock: Clock, onSilence: () => void) {
    this.#clock = clock;
    this.#onSilence = onSilence;
  }

  /** From now on, silence of more than `limitMs` is too long. */
  expect(limitMs: number): void {
    this.stop();
    this.#limitMs = limitMs;
    this.heard();
    this.#arm(limitMs);
  }

  heard(): void {
    this.#heardAt = this.#clock.now();
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }

  #arm(delayMs: number): void {
    this.#cancel = this.#clock.after(delayMs, () => {
      const restMs = this.#heardAt + this.#limitMs - this.#clock.now();
      if (restMs > 0) this.#arm(restMs);
      else this.#onSilence();
    });
  }
}
