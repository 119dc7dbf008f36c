/** A message: a chat to read, or a task to claim, execute and complete. */
import * as z from "zod";
import * as f from "./fields.ts";
import { LIMITS } from "./limits.ts";
import { FAILURES, LEASE_STATES, PRIORITIES, STATUSES, TYPES } from "./vocabulary.ts";

export const status = z.enum(STATUSES);
export const type = z.enum(TYPES);
const priority = z.enum(PRIORITIES);
export const failure = z.enum(FAILURES);
export const leaseState = z.enum(LEASE_STATES);

export const progress = z
  .object({
    at: f.timestamp,
    percent: z.number().min(0).max(100).optional(),
    note: z.string().optional(),
  })
  .meta({ id: "Progress", description: "How far the holder of a task says it is." });

export type Status = z.infer<typeof status>;
export type MessageType = z.infer<typeof type>;
export type Priority = z.infer<typeof priority>;
export type LeaseState = z.infer<typeof leaseState>;
export type Failure = z.infer<typeof failure>;

/** What a sender says. */
export const sendFields = {
  to_claude: f.address.describe(
    "Who it is for: an instance's name, @ROLE for any one of those who have it, or * for everyone (chat only).",
  ),
  task: f
    .text(LIMITS.task_bytes)
    .min(1, { error: "must not be empty" })
    .describe("What is to be done, or what is said."),
  context: f.text(LIMITS.context_bytes).optional().describe("Whatever helps to do it."),
  type: type.optional().describe("task (the default) is claimed and completed; chat is only read."),
  priority: priority.optional().describe("Moves a task ahead of others; one that waits long rises by itself."),
  thread_id: f.key.optional().describe("Groups messages of one conversation."),
  reply_to: f.id.optional().describe("The message that this one answers."),
  parent_id: f.id.optional().describe("The task that this one is a part of."),
  after: z
    .array(f.id)
    .min(1)
    .max(LIMITS.after)
    .refine((ids) => new Set(ids).size === ids.length, { error: "names a message twice" })
    .optional()
    .describe("Tasks that must be complete before this one can be claimed; it fails when one of them fails for good."),
  not_before: f.timestamp.optional().describe("Not claimable before this time."),
  expires_at: f.timestamp.optional().describe("Fails as expired when nobody has claimed it by then."),
  timeout_ms: f.durationMs.min(1).optional().describe("Bounds one attempt, whatever else happens."),
  max_attempts: z.int().min(1).max(LIMITS.attempts).optional().describe("How often it may be tried."),
  backoff_ms: f.durationMs.optional().describe("Wait after the first failed try; doubles, with jitter."),
  traceparent: f.traceparent
    .optional()
    .describe("W3C trace context; left out, that of the message it answers or is a part of, or a new one."),
};

/** A message as the hub tells it. Fields that are not set are left out. */
export const message = z
  .object({
    id: f.id,
    from_claude: z.string(),
    to_claude: z.string(),
    task: z.string(),
    context: z.string().optional(),
    type,
    status,
    result: z.string().optional(),
    error: z.string().optional(),
    created_at: f.timestamp,
    updated_at: f.timestamp,
    priority: priority.optional(),
    thread_id: z.string().optional(),
    reply_to: z.string().optional(),
    parent_id: z.string().optional(),
    after: z.array(f.id).optional(),
    not_before: f.timestamp.optional(),
    expires_at: f.timestamp.optional(),
    timeout_ms: z.int().optional(),
    max_attempts: z.int().optional(),
    backoff_ms: z.int().optional(),
    traceparent: z.string().optional(),
    chain_id: z.string().optional().describe("The first message of the exchange that this one goes on with."),
    hops: z.int().optional().describe("How many messages lead from the chain's first one to this one."),
    attempt: z.int().optional().describe("The fence: how often it was claimed. Only ever rises."),
    tries_left: z.int().optional(),
    claimed_by: z.string().optional(),
    claimed_at: f.timestamp.optional(),
    lease_until: f.timestamp.optional().describe("Until when the holder's claim is safe; moved by the hub."),
    lease: leaseState
      .optional()
      .describe("kept: its run is connected; expiring: its run is not; detached: claimed without a run, for a time."),
    progress: progress.optional(),
    delivered_at: f.timestamp.optional(),
    seen_at: f.timestamp.optional().describe("When its recipient said that it has it in context."),
    completed_at: f.timestamp.optional(),
    failure: failure.optional(),
    seq: z.int().optional().describe("The log entry that last changed it."),
    erased: z
      .literal(true)
      .optional()
      .describe("A tombstone: the message was deleted, and `task`, `status` and `updated_at` are not known any more."),
  })
  .meta({ id: "Message", description: "A chat or a task from an instance to an address." });

/** One try of a task, and what became of it. */
export const attempt = z
  .object({
    attempt: z.int(),
    claimed_by: z.string(),
    claimed_at: f.timestamp,
    ended_at: f.timestamp.optional(),
    outcome: z
      .enum(["in_progress", "complete", "released", "requeued", "failed", "cancelled"])
      .describe("in_progress: it is being done now; requeued: it failed or its time ran out, and is tried again."),
    error: z.string().optional(),
    late: z.literal(true).optional().describe("Its holder sent an outcome afterwards: see the `late` event."),
  })
  .meta({ id: "Attempt" });

/** How far a message has come with one of its recipients. */
export const receipt = z
  .object({
    recipient: z.string(),
    delivered_at: f.timestamp.optional(),
    seen_at: f.timestamp.optional(),
    acknowledged_at: f.timestamp.optional(),
  })
  .meta({ id: "Receipt" });

export type Message = z.infer<typeof message>;
