/**
 * How the hub's thread waits for the database's: for a moment its event loop goes on turning without a pause, and serves
 * others as well. Only around small batches, as under load neither thread sleeps anyway; and only while it pays.
 */
import { availableParallelism } from "node:os";
import { SHORT_MS } from "./busyPoll.ts";
import { PollTrial } from "./pollTrial.ts";

const SMALL_BATCH = 2;
/** On a single core the one who is waited for could not run. */
const HAS_ROOM = availableParallelism() > 1;

export class CommitWait {
  readonly #now: () => number;
  readonly #trial = new PollTrial();
  /** How many are polled for, and since when the newest of them. */
  #polledFor = 0;
  #beganAt = 0;
  #isTurning = false;

  /** @param now milliseconds, of which only differences mean anything. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /**
   * Waits for a commit of so many commands.
   *
   * @param commit begins it, told whether the threads poll for what comes next.
   */
  for<Result>(commands: number, commit: (polls: boolean) => Promise<Result>): Promise<Result> {
    const isSmall = HAS_ROOM && commands <= SMALL_BATCH;
    return isSmall ? this.#forSmall(commit) : commit(false);
  }

  async #forSmall<Result>(commit: (polls: boolean) => Promise<Result>): Promise<Result> {
    const beganAt = this.#now();
    const { polls } = this.#trial;
    if (polls) this.#turn(beganAt);
    try {
      return await commit(polls);
    } finally {
      if (polls) this.#polledFor--;
      if (polls === this.#trial.polls) this.#trial.took(this.#now() - beganAt);
    }
  }

  #turn(beganAt: number): void {
    this.#polledFor++;
    this.#beganAt = beganAt;
    if (this.#isTurning) return;
    this.#isTurning = true;
    setImmediate(this.#next);
  }

  readonly #next = (): void => {
    this.#isTurning = this.#polledFor > 0 && this.#now() - this.#beganAt < SHORT_MS;
    if (this.#isTurning) setImmediate(this.#next);
  };
}
