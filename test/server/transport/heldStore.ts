import type { Moment } from "../../../server/clock.ts";
import { MemoryStore } from "../../../server/store/memory/memoryStore.ts";
import type { StoreCommand } from "../../../server/store/store.ts";

const DAY_MS = 24 * 60 * 60_000;

/** A store in memory whose commits can be held up for as long as a test wants. */
export class HeldStore extends MemoryStore {
  #gate = Promise.resolve();

  constructor() {
    let ids = 0;
    const lease = { graceMs: DAY_MS, detachedMs: DAY_MS, backoffMaxMs: DAY_MS };
    super({ lease, newId: () => `${++ids}`, random: Math.random });
  }

  /** Holds up every commit from now on. @returns what lets them through. */
  hold(): () => void {
    let release = () => {};
    this.#gate = new Promise((resolve) => {
      release = resolve;
    });
    return release;
  }

  override async commit(commands: readonly StoreCommand[], at: Moment) {
    await this.#gate;
    return super.commit(commands, at);
  }
}
