/**
 * Busy polling: a thread that expects something within a moment looks for it turn after turn of its event loop, instead of
 * sleeping until it is woken. To wake a thread takes longer than most small things that it is woken for.
 *
 * Only around small batches: under load neither thread sleeps anyway, and whoever else shares the machine needs the core.
 */
import { availableParallelism } from "node:os";

/** Longer than most commits take, and most agents to act on what they are told. */
const POLL_MS = 1;
const SMALL_BATCH = 2;
/** On a single core the one who is waited for could not run. */
const HAS_ROOM = availableParallelism() > 1;

export class BusyPoll {
  #until = 0;
  #isPolling = false;

  /** Looks for what comes around a batch of so many commands, from now on and for a moment at most. */
  begin(commands: number): void {
    if (commands > SMALL_BATCH || !HAS_ROOM) return;
    this.#until = performance.now() + POLL_MS;
    if (this.#isPolling) return;
    this.#isPolling = true;
    setImmediate(this.#turn);
  }

  /** It came. */
  end(): void {
    this.#until = 0;
  }

  readonly #turn = (): void => {
    if (performance.now() < this.#until) setImmediate(this.#turn);
    else this.#isPolling = false;
  };
}
