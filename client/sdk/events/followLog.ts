import type { Page } from "../../../shared/index.ts";
import { type Caller, insist } from "../calls/insist.ts";
import { isRefusal } from "../errors.ts";

const HOLD_MS = 25_000;

/** What is told of a log at once. */
export interface Followed extends Pick<Page, "events"> {
  /** Whether it is followed from here on, for the first time or because it was lost: what was before is in the state. */
  readonly isBeginning: boolean;
}

/**
 * Follows the log of another instance, which the connection's own stream does not show, from now on and over restarts of
 * the hub.
 *
 * @throws what the hub refuses for good; HubClosed, HubRefused.
 */
export async function* followLog(caller: Caller, of: string): AsyncGenerator<Followed, never> {
  for (let after: string | undefined; ; ) {
    const page = await read(caller, of, after);
    if (page) yield { isBeginning: after === undefined, events: page.events };
    after = page?.cursor;
  }
}

/** @returns nothing where the log does not go on from the cursor. */
async function read(caller: Caller, of: string, after: string | undefined): Promise<Page | undefined> {
  try {
    return await insist(caller, "events", after === undefined ? { for: of } : { for: of, after, wait_ms: HOLD_MS });
  } catch (error) {
    if (!isRefusal(error, "cursor_lost")) throw error;
    return undefined;
  }
}
