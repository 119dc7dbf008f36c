/** The operations on instances: rows of the operations table. */
import * as z from "zod";
import { WRITE_ERRORS } from "../errors.ts";
import * as f from "../fields.ts";
import { presence } from "../presence.ts";
import type { Operation } from "./operation.ts";

export const PRESENCE_OPERATIONS = {
  heartbeat: {
    summary: "Say that an instance is alive; lengthens the claims it holds without a run.",
    params: z.strictObject({
      claude_id: f.name.optional().describe("Who is alive; left out on a socket, it is the one of `hello`."),
      interval_ms: f.durationMs.min(1).optional().describe("When the next one is to be expected."),
    }),
    result: z.object({ timestamp: f.timestamp, claude_id: z.string() }).meta({ id: "Beat" }),
    rest: { method: "POST", paths: ["/heartbeat"], shape: "beat" },
    repeat: "same",
    errors: [...WRITE_ERRORS],
  },
  presence: {
    summary: "See who is there, or wait for a change.",
    params: z.strictObject({
      claude_id: f.name.optional().describe("Only this instance."),
      since: f.count.optional().describe("A version you know: wait until there is a newer one."),
      wait_ms: f.waitMs.optional().describe("Wait so long for a change (0)."),
      next: f.name.optional().describe("Where the answer before ended."),
    }),
    result: presence,
    rest: { method: "GET", paths: ["/presence", "/presence/:claude_id"], shape: "data" },
    repeat: "read",
    errors: ["not_found"],
  },
} as const satisfies Record<string, Operation>;
