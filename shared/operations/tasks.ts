/** The operations on tasks: rows of the operations table. */
import * as z from "zod";
import { LIST_DEFAULT } from "../defaults.ts";
import { WRITE_ERRORS } from "../errors.ts";
import * as f from "../fields.ts";
import { LIMITS } from "../limits.ts";
import { attempt, failure, message, status } from "../message.ts";
import type { Operation } from "./operation.ts";

const fence = z
  .int()
  .min(0)
  .optional()
  .describe("The number that your claim gave; may be left out only where the claim was made without a run.");
const claimKey = f.key.optional().describe("Your own key: asking again with it gives the same answer.");

const TASK_ERRORS = ["not_found", "wrong_status", "lease_lost", "not_a_task", ...WRITE_ERRORS] as const;

export const TASK_OPERATIONS = {
  update: {
    summary: "Move a message to a status: in_progress claims, complete and failed end, pending gives back.",
    params: z.strictObject({
      ...f.idParams,
      status: status.describe("The status to move to."),
      result: f.text(LIMITS.result_bytes).optional().describe("What came of it; beside in_progress, so far."),
      error: f.text(LIMITS.error_bytes).optional().describe("Why it failed."),
      attempt: fence,
      claim_key: claimKey,
    }),
    result: message,
    rest: { method: "PUT", paths: ["/message/:id"], shape: "data" },
    repeat: "same",
    errors: [...TASK_ERRORS, "not_ready", "not_recipient", "too_large"],
  },
  claim: {
    summary: "Take a task: gives the lease and the attempt number.",
    params: z.strictObject({ ...f.idParams, claim_key: claimKey }),
    result: message,
    rest: { method: "POST", paths: ["/message/:id/claim"], shape: "data" },
    repeat: "keyed",
    errors: ["not_found", "wrong_status", "not_ready", "not_a_task", ...WRITE_ERRORS],
  },
  claim_next: {
    summary: "Take the next task that waits for an instance, or wait for one.",
    params: z.strictObject({
      for_claude: f.queue.optional().describe("Whose tasks; left out, the caller's own and those of its pools."),
      wait_ms: f.waitMs.optional().describe("Wait so long for one to come (0)."),
      claim_key: claimKey,
    }),
    result: message.nullable(),
    rest: { method: "POST", paths: ["/claim"], shape: "data" },
    repeat: "keyed",
    errors: [...WRITE_ERRORS],
  },
  complete: {
    summary: "Complete a task with its result.",
    params: z.strictObject({
      ...f.idParams,
      result: f.text(LIMITS.result_bytes).optional().describe("What came of it."),
      attempt: fence,
    }),
    result: message,
    rest: { method: "POST", paths: ["/message/:id/complete"], shape: "data" },
    repeat: "same",
    errors: [...TASK_ERRORS, "not_recipient", "too_large"],
  },
  fail: {
    summary: "Say that a task failed; a retryable failure is tried again while tries are left.",
    params: z.strictObject({
      ...f.idParams,
      error: f.text(LIMITS.error_bytes).optional().describe("Why it failed."),
      retryable: z.boolean().optional().describe("Whether another try may succeed (false)."),
      attempt: fence,
    }),
    result: message,
    rest: { method: "POST", paths: ["/message/:id/fail"], shape: "data" },
    repeat: "same",
    errors: [...TASK_ERRORS, "not_recipient", "too_large"],
  },
  release: {
    summary: "Give a task back untried.",
    params: z.strictObject({
      ...f.idParams,
      reason: f.text(LIMITS.error_bytes).optional().describe("Why; kept with the try."),
      rest_ms: f.durationMs.optional().describe("How long nobody is given it, so that others come first (0)."),
      attempt: fence,
    }),
    result: message,
    rest: { method: "POST", paths: ["/message/:id/release"], shape: "data" },
    repeat: "same",
    errors: [...TASK_ERRORS, "not_recipient", "too_large"],
  },
  extend: {
    summary: "Ask for more time: the claim stays safe for so long, whatever becomes of your connection.",
    params: z.strictObject({
      ...f.idParams,
      lease_ms: z
        .int()
        .min(1)
        .max(LIMITS.lease_ms)
        .optional()
        .describe("From now on (as long as a detached claim); it never shortens."),
      attempt: fence,
    }),
    result: message,
    rest: { method: "POST", paths: ["/message/:id/extend"], shape: "data" },
    repeat: "same",
    errors: [...TASK_ERRORS],
  },
  progress: {
    summary: "Say how far a task is; the newest of several within a second is told.",
    params: z.strictObject({
      ...f.idParams,
      percent: z.number().min(0).max(100).optional().describe("How much of it is done."),
      note: f.text(LIMITS.error_bytes).optional().describe("What is being done now."),
      attempt: fence,
    }),
    result: message,
    rest: { method: "POST", paths: ["/message/:id/progress"], shape: "data" },
    repeat: "same",
    errors: [...TASK_ERRORS, "too_large"],
  },
  cancel: {
    summary: "End a task at once, whoever holds it; its holder is told.",
    params: z.strictObject({
      ...f.idParams,
      reason: f.text(LIMITS.error_bytes).optional().describe("Why."),
    }),
    result: message,
    rest: { method: "POST", paths: ["/message/:id/cancel"], shape: "data" },
    repeat: "same",
    errors: ["not_found", "wrong_status", "not_a_task", "too_large", ...WRITE_ERRORS],
  },
  retry: {
    summary: "Give a failed task all its tries again.",
    params: z.strictObject(f.idParams),
    result: message,
    rest: { method: "POST", paths: ["/message/:id/retry"], shape: "data" },
    repeat: "once",
    errors: ["not_found", "wrong_status", "not_a_task", ...WRITE_ERRORS],
  },
  retry_failed: {
    summary: "Give all failed tasks of a kind their tries again, the oldest first.",
    params: z.strictObject({
      failure: failure.optional().describe("Only those that failed for this reason (attempts_exhausted)."),
      to_claude: f.storedName.optional().describe("Only those to this address."),
      from_claude: f.storedName.optional().describe("Only those from this sender."),
      limit: z.int().min(1).max(LIMITS.retry_messages).optional().describe(`At most so many (${LIST_DEFAULT}).`),
    }),
    result: z.object({ count: f.count, ids: z.array(f.id) }).meta({ id: "Retried" }),
    rest: { method: "POST", paths: ["/retry"], shape: "data" },
    repeat: "once",
    errors: [...WRITE_ERRORS],
  },
  attempts: {
    summary: "Read what became of each try of a task.",
    params: z.strictObject(f.idParams),
    result: z.object({ id: f.id, attempts: z.array(attempt) }).meta({ id: "Attempts" }),
    rest: { method: "GET", paths: ["/message/:id/attempts"], shape: "data" },
    repeat: "read",
    errors: ["not_found"],
  },
} as const satisfies Record<string, Operation>;
