/**
 * What travels on the socket: JSON-RPC 2.0 in text frames. In either direction a frame holds one object or an
 * array of them; the hub packs everything it has for a client at one moment into one frame.
 */
import * as z from "zod";
import { eventKinds, lostReason, page } from "./event.ts";
import * as f from "./fields.ts";
import { LIMITS } from "./limits.ts";
import { about, clientInfo, presenceChanged, presenceDiff } from "./presence.ts";

export const SUBPROTOCOL = "coord.v1";

/** What a session is sent; it can be changed while it is open. */
const wishes = {
  kinds: eventKinds.optional().describe("Which kinds of event are wanted; left out: all."),
  receives: z.boolean().optional().describe("Whether acknowledged events count as delivered (false)."),
  presence: z.boolean().optional().describe("Whether presence changes are wanted (false)."),
};

/** First request on every socket, within `LIVENESS.hello_ms`. */
export const hello = z
  .strictObject({
    claude_id: f.name.optional().describe("Who is calling; left out: an observer, in no presence list."),
    run: f.run.optional().describe("The random id of this life of the client's process; kept over reconnects."),
    token: z.string().max(512).optional(),
    client: clientInfo,
    about: about.optional(),
    resume: f.cursor.optional().describe("Where to go on; left out: at the log's head."),
    scope: z.enum(["mine", "all"]).optional().describe("mine (the default with a name), or everything."),
    ...wishes,
  })
  .meta({ id: "Hello" });

/** The answer to `hello`. */
export const welcome = z
  .object({
    session: z.string(),
    cursor: f.cursor.describe("Where this session stands now; your cursor."),
    resumed: z.boolean().describe("Whether the log goes on from your cursor without a gap."),
    reason: lostReason.optional().describe("Why not."),
    heartbeat_ms: z
      .int()
      .describe("Ping interval. If nothing arrives for this long plus 10 s, the connection is dead."),
    window: z.object({ events: z.int(), bytes: z.int() }).describe("How much may be on its way unacknowledged."),
    limits: z.record(z.string(), z.number()),
    hub: z.object({ version: z.string(), protocol: z.int() }),
  })
  .meta({ id: "Welcome" });

/** A later request: the session is sent this from now on, instead of what `hello` said. */
export const subscribe = z.strictObject(wishes).meta({ id: "Subscribe" });

/** The answer to `subscribe`. */
export const subscribed = z
  .object({ cursor: f.cursor.describe("Past it, everything that is wanted now is sent.") })
  .meta({ id: "Subscribed" });

/** A notification from client to hub: everything up to here was applied. Cumulative. */
export const ack = z.strictObject({ cursor: f.cursor }).meta({ id: "Ack" });

/** A notification from hub to client before a close, after which the client should come back. */
export const closing = z
  .object({ code: z.int(), reason: z.string(), reconnect_within_ms: z.int() })
  .meta({ id: "Closing", description: "Come back after a random time below this bound." });

export const NOTIFICATIONS = {
  up: { ack },
  down: { events: page, presence: presenceDiff, presence_changed: presenceChanged, closing },
} as const;

/** The shape of a request or notification, before its parameters are checked. */
export const rpcRequest = z.strictObject({
  jsonrpc: z.literal("2.0"),
  id: z.union([z.string().max(LIMITS.key_chars), z.int()]).optional(),
  method: z.string().max(LIMITS.name_chars),
  params: z.record(z.string(), z.unknown()).optional(),
});

export type Hello = z.input<typeof hello>;
export type Subscribe = z.input<typeof subscribe>;
export type Welcome = z.output<typeof welcome>;
export type Closing = z.output<typeof closing>;
export type RpcRequest = z.output<typeof rpcRequest>;
export type RpcId = string | number;
