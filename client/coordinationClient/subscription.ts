/** Events of an instance over a connection of its own, handed over one after another. */
import { inspect } from "node:util";
import type { HubEvent } from "../sdk/events/events.ts";
import type { Hub } from "../sdk/hub.ts";
import { warn } from "./environment.ts";
import { ANSWER_MS, asTold, type HubAccess } from "./restCalls.ts";

type Handler = (event: HubEvent) => unknown;

/**
 * @returns what ends it.
 * @throws HubError, HubRefused; TypeError for what is no name; Error `Coordination API server not running`.
 */
export async function subscribeAs({ as, url, token }: HubAccess, handler: Handler): Promise<() => Promise<void>> {
  const deadline = performance.now() + ANSWER_MS;
  const { connect } = await import("../sdk/connect.ts"); // programs that only call functions load no socket
  const who = { ...(as !== undefined && { as }), ...(token !== undefined && { token }) };
  const timeout_ms = Math.max(0, deadline - performance.now());
  const hub = await connect({ ...who, url, receives: true, timeout_ms }).catch((error) => {
    throw error instanceof TypeError ? error : asTold(error);
  });
  const over = new AbortController();
  void handOver(hub, handler, over.signal);
  return () => {
    over.abort();
    return hub.close();
  };
}

async function handOver(hub: Hub, handler: Handler, signal: AbortSignal): Promise<void> {
  try {
    for await (const event of hub.events({ signal })) await tried(handler, event);
  } finally {
    void hub.close();
  }
}

async function tried(handler: Handler, event: HubEvent): Promise<void> {
  try {
    await handler(event);
  } catch (error) {
    warn("the handler of subscribe failed; the next event is handed over all the same", inspect(error));
  }
}
