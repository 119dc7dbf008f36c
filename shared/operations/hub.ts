/** The operations on the log and on the hub itself: rows of the operations table. */
import * as z from "zod";
import { eventKinds, page } from "../event.ts";
import * as f from "../fields.ts";
import { LIMITS } from "../limits.ts";
import type { Operation } from "./operation.ts";

export const HUB_OPERATIONS = {
  events: {
    summary: "Read the log from a cursor, or wait for its next page.",
    params: z.strictObject({
      after: f.cursor.or(z.literal("start")).optional().describe("Your cursor; left out: the log's head."),
      for: f.queue.optional().describe("Whose events; left out, the caller's own, or all for an observer."),
      wait_ms: f.waitMs.optional().describe("Wait so long for an event (0)."),
      limit: z.int().min(1).max(LIMITS.page_events).optional().describe("At most so many (500)."),
      kinds: eventKinds.optional().describe("Which kinds of event are wanted; left out: all."),
      receives: z
        .boolean()
        .optional()
        .describe("Whether asking for what comes next counts as having received (false)."),
    }),
    result: page,
    rest: { method: "GET", paths: ["/events"], shape: "page" },
    repeat: "read",
    errors: ["cursor_lost"],
  },
  info: {
    summary: "Read the hub's version, epoch, limits and time.",
    params: z.strictObject({}),
    result: z
      .object({
        name: z.literal("coordination-hub"),
        version: z.string(),
        protocol: z.int(),
        epoch: z.string(),
        cursor: f.cursor,
        time: f.timestamp,
        limits: z.record(z.string(), z.number()),
      })
      .meta({ id: "Info" }),
    rest: { method: "GET", paths: [""], shape: "data" },
    repeat: "read",
    errors: [],
  },
} as const satisfies Record<string, Operation>;
