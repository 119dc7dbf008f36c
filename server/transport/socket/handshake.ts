/** The answer to `hello`: where its reader begins, and what the client is told. */
import { randomUUID } from "node:crypto";
import { parseCursor } from "../../../shared/cursor.ts";
import type { LostReason } from "../../../shared/event.ts";
import type { Hello, Welcome } from "../../../shared/frames.ts";
import { LIMITS } from "../../../shared/limits.ts";
import { PROTOCOL_VERSION } from "../../../shared/protocol.ts";
import type { Reader } from "../../core/view.ts";
import type { SessionOptions } from "../../delivery/session.ts";
import { ownReader } from "../../hub/caller/client.ts";
import type { Hub } from "../../hub/hub.ts";

export const WINDOW = { events: LIMITS.window_events, bytes: LIMITS.window_bytes };

export interface Handshake {
  readonly welcome: Welcome;
  readonly start: Pick<SessionOptions, "reader" | "cursor"> & { own: Reader };
}

/** @throws HubError `invalid_params` where `resume` is not a cursor. */
export function handshake(hub: Hub, said: Hello): Handshake {
  const own = ownReader({ claude_id: said.claude_id ?? null, about: said.about });
  const reader = said.scope === "all" ? null : own;
  const { cursor, reason } = startOf(hub, said, reader);
  const welcome = {
    session: randomUUID(),
    cursor: hub.cursorAt(cursor),
    resumed: said.resume !== undefined && reason === undefined,
    ...(reason && { reason }),
    heartbeat_ms: hub.liveness.pingMs,
    window: WINDOW,
    limits: hub.limits,
    hub: { version: hub.version, protocol: PROTOCOL_VERSION },
  };
  return { welcome, start: { reader, own, cursor } };
}

/** At the cursor it resumes from, where the log goes on from there and shows it the same; else at the head. */
function startOf(hub: Hub, said: Hello, reader: Reader): { cursor: number; reason?: LostReason } {
  const { claude_id = null, run = null, resume } = said;
  const { head } = hub.delivery;
  const cursor = resume === undefined ? undefined : parseCursor(resume, "resume");
  const lost = cursor && hub.lost(cursor);
  const seq = lost ? undefined : cursor?.seq;
  const given = seq !== undefined && seq < head ? head : head + 1; // one at the head looks like that of the welcome
  const changed = hub.runViews.changed({ claude_id, run }, reader, seq, given);
  if (seq === undefined) return { cursor: head, ...(lost && { reason: lost }) };
  return changed ? { cursor: head, reason: "filter_changed" } : { cursor: seq };
}
