/** Waiting with an end: a time, a caller that left, a hub that closes. */
import type { Clock } from "../clock.ts";

export interface Deadline {
  readonly signal: AbortSignal;
  /** Resolves when the signal aborts. */
  readonly over: Promise<void>;
  /** Must be called when the waiting is over, however it ended. */
  done(): void;
}

/** @param others end the waiting too. */
export function deadline(clock: Clock, waitMs: number, ...others: (AbortSignal | undefined)[]): Deadline {
  const controller = new AbortController();
  const end = () => controller.abort();
  const callOff = clock.after(waitMs, end);
  for (const other of others) {
    if (other?.aborted) end();
    else other?.addEventListener("abort", end, { once: true });
  }
  const done = () => {
    callOff();
    for (const other of others) other?.removeEventListener("abort", end);
  };
  const { signal } = controller;
  const over = new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
  return { signal, over, done };
}
