import { isRefusal, type Page } from "../../../shared/index.ts";
import { type Caller, insist } from "../calls/insist.ts";
import { HOLD_MS } from "../clock.ts";

/** Events of a log that come together. */
interface Followed extends Pick<Page, "events"> {
  /**
   * Whether it is followed from here on, for the first time or because it was lost: what was before is in the state.
   */
  readonly isBeginning: boolean;
}

/**
 * Follows the log of another instance, which the connection's own stream does not show, from now on and over restarts of
 * the hub.
 *
 * @param signal ends it.
 * @throws what the hub refuses for good; HubClosed, HubRefused; the signal's reason.
 */
export async function* followLog(caller: Caller, of: string, signal?: AbortSignal): AsyncGenerator<Followed, never> {
  for (let after: string | undefined; ; ) {
    const page = await read(caller, of, after, signal);
    if (page) yield { isBeginning: after === undefined, events: page.events };
    after = page?.cursor;
  }
}

/** @returns nothing where the log does not go on from the cursor. */
async function read(
  caller: Caller,
  of: string,
  after: string | undefined,
  signal: AbortSignal | undefined,
): Promise<Page | undefined> {
  const params = after === undefined ? { for: of } : { for: of, after, wait_ms: HOLD_MS };
  try {
    return await insist(caller, "events", params, signal);
  } catch (error) {
    if (!isRefusal(error, "cursor_lost")) throw error;
    return undefined;
  }
}
