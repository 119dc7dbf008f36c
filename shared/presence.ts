/** Who is there: a stream of its own, separate from the log and with its own version numbers. */
import * as z from "zod";
import * as f from "./fields.ts";

const presenceState = z.enum(["online", "stale", "offline"]);
export type PresenceState = z.infer<typeof presenceState>;

/** What an instance tells of itself. */
export const about = z
  .strictObject({
    host: f.text(256).optional(),
    project: f.text(256).optional(),
    roles: z.array(f.name).max(32).optional().describe("What it can do: it is in the pool @ROLE of each."),
    note: f.text(1024).optional(),
  })
  .meta({ id: "About", description: "What an instance tells of itself when it connects." });

export const clientInfo = z.strictObject({ name: f.text(128), version: f.text(64) });

/** Whether its model can be made to act. */
const reachability = z.enum(["unknown", "connected", "verified"]);

export const PRESENCE_LIMITS = {
  /** How many connections of an instance are shown. */
  connections: 100,
  diff_instances: 256,
  diff_interval_ms: 1_000,
};

export const instance = z
  .object({
    claude_id: z.string(),
    state: presenceState,
    since: f.timestamp.describe("Since when it is in this state."),
    last_seen: f.timestamp,
    connections: z
      .array(
        z.object({
          transport: z.enum(["websocket", "long_poll", "sse"]),
          client: clientInfo.optional(),
          host: z.string().optional(),
        }),
      )
      .describe(`Its first ${PRESENCE_LIMITS.connections} connections.`),
    roles: z.array(z.string()),
    about: about.optional(),
    in_progress: f.count.describe("Tasks it holds."),
    waiting: f.count.describe("Messages that wait for it."),
    oldest_waiting: f.timestamp.optional(),
    reachability: reachability.describe("Can its model be made to act, proved when."),
  })
  .meta({ id: "Instance", description: "One instance as presence shows it." });

const diff = z.object({ version: f.count, instances: z.array(instance) });

/** One page of who is there. */
export const presence = diff
  .extend({ next: z.string().optional().describe("Where this page ended, when there are more.") })
  .meta({ id: "Presence", description: "Who is there, by name, as of a version." });

/** Hub to client: what changed since the version before; at most one a second. */
export const presenceDiff = diff.meta({ id: "PresenceDiff" });

/** Hub to client: too much changed to tell; read `presence` again. */
export const presenceChanged = z.object({ version: f.count }).meta({ id: "PresenceChanged" });

/** What a sender can expect of the recipient; part of the reply to `send`. */
export const recipient = z
  .object({
    state: presenceState.or(z.literal("unknown")),
    last_seen: f.timestamp.optional(),
    waiting: f.count,
    oldest_waiting: f.timestamp.optional(),
    wake: reachability,
  })
  .meta({ id: "Recipient", description: "What to expect of the recipient." });

export type About = z.infer<typeof about>;
export type ClientInfo = z.infer<typeof clientInfo>;
export type Instance = z.infer<typeof instance>;
export type Presence = z.infer<typeof presence>;
export type Recipient = z.infer<typeof recipient>;
