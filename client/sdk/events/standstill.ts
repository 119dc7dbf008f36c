/** So much lies untaken that the hub may send no more: what is waited for, and what is held, is read instead. */
import type { Clock } from "../clock.ts";

/** How often to look, while anything is waited for. */
const LOOK_MS = 1_000;

interface StandstillPorts {
  readonly clock: Clock;
  readonly isStalled: () => boolean;
  /** Who waits for something that the stream would bring. */
  readonly waiting: () => readonly { look(): void }[];
}

export class Standstill {
  readonly #ports: StandstillPorts;
  #isWatched = false;

  constructor(ports: StandstillPorts) {
    this.#ports = ports;
  }

  /** Somebody waits from now on. */
  watch(): void {
    if (this.#isWatched) return;
    const { clock, isStalled, waiting } = this.#ports;
    this.#isWatched = true;
    clock.after(LOOK_MS, () => {
      this.#isWatched = false;
      const left = waiting();
      if (left.length === 0) return;
      if (isStalled()) for (const one of left) one.look();
      this.watch();
    });
  }
}
