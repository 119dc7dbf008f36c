/** The answer to `hello`: where its reader begins, and what the client is told. */
import { randomUUID } from "node:crypto";
import { parseCursor } from "../../../shared/cursor.ts";
import type { Hello, Welcome } from "../../../shared/frames.ts";
import { LIMITS } from "../../../shared/limits.ts";
import { PROTOCOL_VERSION } from "../../../shared/protocol.ts";
import type { Reader } from "../../core/view.ts";
import type { SessionOptions } from "../../delivery/session.ts";
import { ownReader } from "../../hub/caller/client.ts";
import type { Hub } from "../../hub/hub.ts";
import { readerStart } from "../../hub/readerStart.ts";

export const WINDOW = { events: LIMITS.window_events, bytes: LIMITS.window_bytes };

export interface Handshake {
  readonly welcome: Welcome;
  readonly start: Pick<SessionOptions, "reader" | "cursor"> & { own: Reader };
}

/** @throws HubError `invalid_params` where `resume` is not a cursor. */
export function handshake(hub: Hub, said: Hello): Handshake {
  const { claude_id = null, run = null, about, scope, resume } = said;
  const own = ownReader({ claude_id, about });
  const reader = scope === "all" ? null : own;
  const { seq, lost } = readerStart(hub, {
    cursor: resume === undefined ? undefined : parseCursor(resume, "resume"),
    otherwise: hub.delivery.head,
    view: { client: { claude_id, run }, reader },
    believesHead: false,
  });
  const welcome = {
    session: randomUUID(),
    cursor: hub.cursorAt(seq),
    resumed: resume !== undefined && lost === undefined,
    ...(lost && { reason: lost }),
    heartbeat_ms: hub.liveness.pingMs,
    window: WINDOW,
    limits: hub.limits,
    hub: { version: hub.version, protocol: PROTOCOL_VERSION },
  };
  return { welcome, start: { reader, own, cursor: seq } };
}
