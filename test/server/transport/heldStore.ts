import type { Moment } from "../../../server/clock.ts";
import type { StoreCommand } from "../../../server/store/storeCommands.ts";
import { HubError } from "../../../shared/errors.ts";
import { MemoryStore } from "../store/memory/memoryStore.ts";

const DAY_MS = 24 * 60 * 60_000;

/** A store in memory whose commits can be held up for as long as a test wants, fail, or only seem to fail. */
export class HeldStore extends MemoryStore {
  #gate = Promise.resolve();
  /** Which commands find the disk full. */
  isFullFor = (_: StoreCommand) => false;
  /** Those that have. */
  readonly refused: StoreCommand[] = [];
  /** What came to be committed together. */
  readonly batches: StoreCommand["op"][][] = [];
  #isAnswerLost = (_: StoreCommand) => false;

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

  /** The next batch with such a command is durable, but seems to have failed. */
  loseAnswer(of: StoreCommand["op"]): void {
    this.#isAnswerLost = ({ op }) => op === of;
  }

  override async commit(commands: readonly StoreCommand[], at: Moment) {
    await this.#gate;
    this.batches.push(commands.map(({ op }) => op));
    const refused = commands.filter(this.isFullFor);
    if (refused.length > 0) {
      this.refused.push(...refused);
      throw new HubError("storage_full", "The disk is full");
    }
    const result = await super.commit(commands, at);
    if (!commands.some(this.#isAnswerLost)) return result;
    this.#isAnswerLost = () => false;
    throw new HubError("storage_unavailable", "The disk is away");
  }
}
