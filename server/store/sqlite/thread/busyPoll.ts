/**
 * Busy polling: a thread that expects a message within a moment looks for it again and again, instead of sleeping until it
 * is woken. To wake a thread takes longer than most small things that it is woken for.
 *
 * Only around small batches: under load neither thread sleeps anyway, and whoever else shares the machine needs the core.
 */
import { availableParallelism } from "node:os";
import { type MessagePort, receiveMessageOnPort } from "node:worker_threads";

/** Longer than most commits take, and most agents to act on what they are told. */
const POLL_MS = 1;
const SMALL_BATCH = 2;
/** On a single core the one who is waited for could not run. */
const HAS_ROOM = availableParallelism() > 1;

/** Whether to look for what comes after a batch of so many commands. */
export const isWorthPolling = (commands: number) => HAS_ROOM && commands <= SMALL_BATCH;

/** For a thread with nothing else to do. @returns the next message, or undefined when none came within a moment. */
export function pollPort<Message>(port: MessagePort): Message | undefined {
  const until = performance.now() + POLL_MS;
  let received: { message: Message } | undefined;
  do received = receiveMessageOnPort(port);
  while (!received && performance.now() < until);
  return received?.message;
}

/** For a thread that serves others as well: its event loop goes on turning, without a pause. */
export class BusyLoop {
  #until = 0;
  #isTurning = false;

  /** Turns from now on, for a moment at most. */
  begin(): void {
    this.#until = performance.now() + POLL_MS;
    if (this.#isTurning) return;
    this.#isTurning = true;
    setImmediate(this.#turn);
  }

  /** What was waited for has come. */
  end(): void {
    this.#until = 0;
  }

  readonly #turn = (): void => {
    this.#isTurning = performance.now() < this.#until;
    if (this.#isTurning) setImmediate(this.#turn);
  };
}
