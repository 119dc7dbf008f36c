import type { Caller } from "../calls/insist.ts";
import { followLog } from "../events/followLog.ts";
import type { Claims } from "./claims.ts";

/**
 * Follows what becomes of another instance's tasks while a worker does them.
 *
 * @param until when to stop.
 * @throws as `followLog` does; an AbortError when it is to stop.
 */
export async function followClaims(
  hub: Caller & { readonly claims: Claims },
  of: string,
  until: Promise<void>,
): Promise<void> {
  const over = new AbortController();
  void until.then(() => over.abort());
  for await (const { isBeginning, events } of followLog(hub, of, over.signal)) {
    if (isBeginning) hub.claims.look();
    for (const event of events) hub.claims.observe(event);
  }
}
