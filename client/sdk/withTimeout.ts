import { type Clock, systemClock } from "./clock.ts";

/**
 * Runs something with a signal that aborts when `signal` does, or with a TimeoutError after `ms`.
 *
 * Not by `AbortSignal.any` with `AbortSignal.timeout`: once Node 20 has collected garbage, that time is never up.
 *
 * @param after arms the timer; the one left out does not keep the process alive.
 * @throws the signal's reason, the TimeoutError, or what `run` throws before either.
 */
export async function withTimeout<T>(
  ms: number,
  signal: AbortSignal,
  run: (signal: AbortSignal) => Promise<T>,
  after: Clock["after"] = systemClock.after,
): Promise<T> {
  const bounded = new AbortController();
  const follow = () => bounded.abort(signal.reason);
  const cancel = after(ms, () => bounded.abort(new DOMException("time is up", "TimeoutError")));
  signal.addEventListener("abort", follow);
  if (signal.aborted) follow();
  try {
    return await run(bounded.signal);
  } catch (error) {
    throw bounded.signal.aborted ? bounded.signal.reason : error;
  } finally {
    cancel();
    signal.removeEventListener("abort", follow);
  }
}
