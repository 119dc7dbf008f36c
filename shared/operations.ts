/**
 * The operations table: the one source from which the REST router, the JSON-RPC dispatcher, the SDK's
 * methods, the command line's inputs, OpenAPI, OpenRPC and the protocol page are derived. An operation
 * that exists on one transport and not on the other cannot be written. The rows on tasks, schedules and templates stand
 * in files of their own.
 */
import * as z from "zod";
import { type ErrorCode, WRITE_ERRORS } from "./errors.ts";
import { eventKinds, page } from "./event.ts";
import * as f from "./fields.ts";
import { LIMITS } from "./limits.ts";
import { failure, leaseState, message, receipt, sendFields, status, type } from "./message.ts";
import { presence, recipient } from "./presence.ts";
import { SCHEDULE_OPERATIONS } from "./scheduleOperations.ts";
import { templateOrWhole } from "./sendRule.ts";
import { attempt, TASK_ERRORS, TASK_OPERATIONS } from "./taskOperations.ts";
import { params } from "./template.ts";
import { TEMPLATE_OPERATIONS } from "./templateOperations.ts";

/**
 * How a result is dressed over REST.
 * - `data`: `{success, data}`; `list`: `{success, count, data, cursor, next}`
 * - `sent`: the message under `data`, `recipient` and `deduplicated` beside it; 201, a repeat 200
 * - `deleted`: `{success, message}`; `beat`: `{success, timestamp, claude_id}`
 * - `page`: `{success, data}` as JSON, or server-sent events when asked for
 */
export type RestShape = "data" | "list" | "sent" | "deleted" | "beat" | "page";

export interface RestRoute {
  method: "GET" | "POST" | "PUT" | "DELETE";
  /** Below the base path; `:name` is a parameter of the operation. */
  paths: readonly [string, ...string[]];
  shape: RestShape;
}

/** `read` changes nothing; `same` may be repeated as it is, and is done once; `keyed` is safe to repeat with the same key. */
export type Repeat = "read" | "same" | "keyed";

export interface Operation {
  summary: string;
  params: z.ZodObject;
  result: z.ZodType;
  rest: RestRoute;
  repeat: Repeat;
  errors: readonly ErrorCode[];
}

const orTemplate = ({ description }: z.ZodType) => `${description} A template may say it instead.`;

/** Errors that every operation may give. */
export const COMMON_ERRORS = [
  "invalid_params",
  "tokens_required",
  "rate_limited",
  "shutting_down",
  "internal",
] as const;

const FULL_ERRORS = ["recipient_full", "sender_full"] as const;

export const OPERATIONS = {
  send: {
    summary: "Send a chat or a task.",
    params: z
      .strictObject({
        from_claude: f.name.optional().describe("The sender; left out on a socket, it is the one of `hello`."),
        ...sendFields,
        to_claude: sendFields.to_claude.optional().describe(orTemplate(sendFields.to_claude)),
        task: sendFields.task.optional().describe(orTemplate(sendFields.task)),
        template: f.name.optional().describe("Send this template; what is said beside it goes before what it says."),
        params: params.optional().describe("The values of the template's parameters."),
        idempotency_key: f.key.optional().describe("Your own key: a repeat with it is the same message."),
      })
      .check(templateOrWhole),
    result: z
      .object({
        message,
        recipient,
        deduplicated: z.boolean(),
        messages: z
          .array(message)
          .optional()
          .describe("Of a macro: the messages of all its steps, as it lists them; without results."),
      })
      .meta({ id: "Sent" }),
    rest: { method: "POST", paths: ["/message"], shape: "sent" },
    repeat: "keyed",
    errors: [
      "too_large",
      "not_found",
      "not_a_task",
      "idempotency_conflict",
      "loop_stopped",
      ...FULL_ERRORS,
      ...WRITE_ERRORS,
    ],
  },
  list: {
    summary: "List messages, oldest first.",
    params: z.strictObject({
      to_claude: f.address.optional().describe("Only those to this address."),
      from_claude: f.name.optional().describe("Only those from this sender."),
      status: status.optional().describe("Only those in this status."),
      type: type.optional().describe("Only chats, or only tasks."),
      thread_id: f.key.optional().describe("Only those of this conversation."),
      failure: failure.optional().describe("Only those that failed for this reason."),
      lease: leaseState.optional().describe("Only those held like this: kept, detached or expiring."),
      delivered: z
        .boolean()
        .optional()
        .describe("Only those that their recipient's client has taken, or only the others."),
      chain_id: f.id.optional().describe("Only those that go on with the exchange that this message began."),
      open_for: f.name
        .optional()
        .describe(
          "Only chats to * that this instance has a receipt for and has not acknowledged, each as it is for it.",
        ),
      order: z.enum(["asc", "desc"]).optional().describe("asc (the default): oldest first."),
      limit: z.int().min(1).max(LIMITS.list_messages).optional().describe("At most so many (100)."),
      offset: z.int().min(0).max(LIMITS.list_offset).optional().describe("Skip so many (0)."),
      next: z.string().max(64).optional().describe("Where the list before ended: deep reading without an offset."),
    }),
    result: z
      .object({ messages: z.array(message), count: f.count, cursor: f.cursor, next: z.string().optional() })
      .meta({ id: "MessageList" }),
    rest: { method: "GET", paths: ["/messages"], shape: "list" },
    repeat: "read",
    errors: [],
  },
  get: {
    summary: "Read one message.",
    params: z.strictObject(f.idParams),
    result: message,
    rest: { method: "GET", paths: ["/message/:id"], shape: "data" },
    repeat: "read",
    errors: ["not_found"],
  },
  update: {
    summary: "Move a message to a status: in_progress claims, complete and failed end, pending gives back.",
    params: z.strictObject({
      ...f.idParams,
      status: status.describe("The status to move to."),
      result: f.text(LIMITS.result_bytes).optional().describe("What came of it."),
      error: f.text(LIMITS.error_bytes).optional().describe("Why it failed."),
      attempt,
    }),
    result: message,
    rest: { method: "PUT", paths: ["/message/:id"], shape: "data" },
    repeat: "same",
    errors: [...TASK_ERRORS, "not_ready", "not_recipient", "too_large"],
  },
  delete: {
    summary: "Delete a message and erase its bodies.",
    params: z.strictObject(f.idParams),
    result: z.object({ id: f.id, deleted: z.literal(true) }).meta({ id: "Deleted" }),
    rest: { method: "DELETE", paths: ["/message/:id"], shape: "deleted" },
    repeat: "same",
    errors: ["not_found", ...WRITE_ERRORS],
  },
  stats: {
    summary: "Count messages by status.",
    params: z.strictObject({}),
    result: z
      .object({ total: f.count, pending: f.count, in_progress: f.count, complete: f.count, failed: f.count })
      .meta({ id: "Stats" }),
    rest: { method: "GET", paths: ["/stats"], shape: "data" },
    repeat: "read",
    errors: [],
  },
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
  ...TASK_OPERATIONS,
  seen: {
    summary: "Say that the recipient has a message in its context.",
    params: z.strictObject(f.idParams),
    result: message,
    rest: { method: "POST", paths: ["/message/:id/seen"], shape: "data" },
    repeat: "same",
    errors: ["not_found", "not_recipient", ...WRITE_ERRORS],
  },
  received: {
    summary: "Say that messages were taken over: they are delivered then, whether they were listed or pushed.",
    params: z.strictObject({
      ids: z
        .array(f.id)
        .min(1)
        .max(LIMITS.list_messages)
        .describe(
          "The messages; those for others, or for pools of roles that the caller does not announce, are passed over.",
        ),
    }),
    result: z.object({ count: f.count.describe("How many of them are for the caller.") }).meta({ id: "Received" }),
    rest: { method: "POST", paths: ["/received"], shape: "data" },
    repeat: "same",
    errors: ["not_recipient", ...WRITE_ERRORS],
  },
  receipts: {
    summary: "Read how far a message has come with each of those it is for.",
    params: z.strictObject(f.idParams),
    result: z.object({ id: f.id, receipts: z.array(receipt) }).meta({ id: "Receipts" }),
    rest: { method: "GET", paths: ["/message/:id/receipts"], shape: "data" },
    repeat: "read",
    errors: ["not_found"],
  },
  chain_lift: {
    summary: "Let an exchange go on that was stopped as a loop: so many more hops than it has come.",
    params: z.strictObject({
      chain_id: f.id.describe("The chain, as the refusal names it, or any message in it."),
      hops: z
        .int()
        .min(1)
        .max(LIMITS.chain_lift)
        .optional()
        .describe("How many more; left out: as many as any chain has."),
    }),
    result: z
      .object({
        chain_id: f.id,
        hops: f.count.describe("How many hops it has come."),
        limit: f.count.describe("How many it may come now."),
      })
      .meta({ id: "Chain" }),
    rest: { method: "POST", paths: ["/chain/:chain_id/lift"], shape: "data" },
    repeat: "same",
    errors: ["not_found", ...WRITE_ERRORS],
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
  ...SCHEDULE_OPERATIONS,
  ...TEMPLATE_OPERATIONS,
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

export type OperationName = keyof typeof OPERATIONS;
type Asked = { [N in OperationName]: z.input<(typeof OPERATIONS)[N]["params"]> };
/** What may be asked; a `send` without a template says itself what is to be done by whom. */
export type Params<N extends OperationName> = (Omit<Asked, "send"> & {
  send: Asked["send"] &
    ({ to_claude: string; task: string; template?: undefined; params?: undefined } | { template: string });
})[N];
export type Result<N extends OperationName> = z.output<(typeof OPERATIONS)[N]["result"]>;

export const OPERATION_NAMES = Object.keys(OPERATIONS) as OperationName[];

export const isOperation = (name: string): name is OperationName => Object.hasOwn(OPERATIONS, name);

/** The base of all REST paths and the place of the socket below it. */
export const BASE_PATH = "/api/coord";
export const SOCKET_PATH = `${BASE_PATH}/ws`;
