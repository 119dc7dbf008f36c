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

/** One commit at a time. */
export class CommitWait {
  readonly #now: () => number;
  readonly #trial = new PollTrial();
  #beganAt = 0;
  #isSmall = false;
  #isWaiting = false;
  #isTurning = false;

  /** @param now milliseconds, of which only differences mean anything. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** A commit of so many commands begins. @returns whether both threads poll for what comes next. */
  begin(commands: number): boolean {
    this.#beganAt = this.#now();
    this.#isSmall = HAS_ROOM && commands <= SMALL_BATCH;
    this.#isWaiting = this.#isSmall && this.#trial.polls;
    if (this.#isWaiting) this.#turn();
    return this.#isWaiting;
  }

  /** Its result has come. */
  end(): void {
    this.#isWaiting = false;
    if (this.#isSmall) this.#trial.took(this.#now() - this.#beganAt);
  }

  #turn(): void {
    if (this.#isTurning) return;
    this.#isTurning = true;
    setImmediate(this.#next);
  }

  readonly #next = (): void => {
    this.#isTurning = this.#isWaiting && this.#now() - this.#beganAt < SHORT_MS;
    if (this.#isTurning) setImmediate(this.#next);
  };
}
