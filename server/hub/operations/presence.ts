/** Who is there. */
import { HubError } from "../../../shared/errors.ts";
import type { PRESENCE_OPERATIONS } from "../../../shared/operations/presence.ts";
import { missingField } from "../../../shared/refusals.ts";
import { iso } from "../../iso.ts";
import { listed } from "../answer.ts";
import { BoundedWait } from "../boundedWait.ts";
import type { Client } from "../caller/client.ts";
import type { Hub } from "../hub.ts";
import type { Handlers } from "./handler.ts";

export const PRESENCE: Handlers<keyof typeof PRESENCE_OPERATIONS> = {
  async presence(hub, { claude_id, since, wait_ms = 0, next }, client) {
    if (claude_id !== undefined && !hub.presence.knows(claude_id)) {
      throw new HubError("not_found", `No instance of the name ${claude_id} was ever here`, { claude_id });
    }
    if (since !== undefined && wait_ms > 0) await nextVersion(hub, since, wait_ms, client);
    hub.assertOpen();
    const version = hub.presence.version;
    const slice = claude_id === undefined ? await hub.presence.page(next) : await hub.presence.one(claude_id);
    return { parts: { version: `${version}`, ...listed("instances", slice.instances, slice.next) } };
  },

  async heartbeat(hub, { claude_id, interval_ms }, client) {
    const name = claude_id ?? client.claude_id;
    if (name === null) throw missingField("claude_id");
    const now = hub.clock.now();
    hub.presence.beat(name, interval_ms, name === client.claude_id ? client.about : undefined);
    await hub.lengthen(name);
    return { parts: { timestamp: `"${iso(now)}"`, claude_id: JSON.stringify(name) } };
  },
};

async function nextVersion(hub: Hub, since: number, waitMs: number, client: Client): Promise<void> {
  if (hub.presence.version > since) return;
  const wait = new BoundedWait(hub.clock, waitMs, client.gone, hub.closing);
  const { changed, cancel } = hub.presence.nextVersion();
  wait.onOver(cancel);
  await changed;
  wait.done();
}
