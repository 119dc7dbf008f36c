import { HubError } from "../../../shared/index.ts";

/**
 * Asks once more, at once, when no hub answered: a proxy may break one request of many, while a hub that is gone
 * answers neither. Not when time was up, or nobody waits any more.
 *
 * @param askAgain the second time.
 */
export function twice<T>(signal: AbortSignal, ask: () => Promise<T>, askAgain = ask): Promise<T> {
  return ask().catch((error) => {
    if (error instanceof HubError || error.name === "TimeoutError" || signal.aborted) throw error;
    return askAgain();
  });
}
