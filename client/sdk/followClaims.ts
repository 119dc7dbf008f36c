import { HubError, type Params } from "../../shared/index.ts";
import type { Claims } from "./claims.ts";
import { sleep } from "./clock.ts";
import type { Caller } from "./insist.ts";

const FOLLOW_MS = 25_000;
const AGAIN_MS = 1_000;

/**
 * Follows the events of another instance while a worker does its tasks: the connection's own stream does not show them.
 *
 * @param until when to stop.
 */
export async function followClaims(
  hub: Caller & { readonly claims: Claims },
  of: string,
  until: Promise<void>,
): Promise<void> {
  let isOver = false;
  void until.then(() => {
    isOver = true;
  });
  for (let after: string | undefined; !isOver; ) {
    const params: Params<"events"> = after === undefined ? { for: of } : { for: of, after, wait_ms: FOLLOW_MS };
    try {
      const page = await hub.call("events", params);
      if (after === undefined) hub.claims.restart(); // what was before is in the state
      for (const event of page.events) hub.claims.observe(event);
      after = page.cursor;
    } catch (error) {
      if (error instanceof HubError && error.code === "cursor_lost") after = undefined;
      await sleep(hub.clock, AGAIN_MS);
    }
  }
}
