import { HubError, type OperationName, type Params, type Result } from "../../../shared/index.ts";
import { type Clock, sleep } from "../clock.ts";
import { isRetryable } from "../errors.ts";

export interface Caller {
  readonly clock: Clock;
  /** @param signal ends the waiting for the answer. */
  call<N extends OperationName>(
    operation: N,
    params: Params<N>,
    timeoutMs?: number,
    signal?: AbortSignal,
  ): Promise<Result<N>>;
}

/** How soon what the hub refuses for now is asked again, in milliseconds. */
export const AGAIN_MS = 1_000;

/**
 * Asks until there is an answer. Giving up would leave a claimed task that nobody does. Asking again is safe: the call
 * has a key, or the same outcome reported twice counts once.
 */
export async function insist<N extends OperationName>(
  caller: Caller,
  operation: N,
  params: Params<N>,
  signal?: AbortSignal,
): Promise<Result<N>> {
  for (;;) {
    try {
      return await caller.call(operation, params, undefined, signal);
    } catch (error) {
      if (!isRetryable(error)) throw error;
      if (error instanceof HubError) await sleep(caller.clock, AGAIN_MS); // else the wait for a line is pause enough
    }
  }
}
