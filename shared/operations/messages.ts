/** The operations on messages: rows of the operations table. */
import * as z from "zod";
import { LIST_DEFAULT } from "../defaults.ts";
import { WRITE_ERRORS } from "../errors.ts";
import * as f from "../fields.ts";
import { LIMITS } from "../limits.ts";
import { failure, leaseState, message, receipt, sendFields, status, type } from "../message.ts";
import { recipient } from "../presence.ts";
import { templateOrWhole } from "../sendRule.ts";
import { params } from "../template.ts";
import type { Operation } from "./operation.ts";

const orTemplate = ({ description }: z.ZodType) => `${description} A template may say it instead.`;

const FULL_ERRORS = ["recipient_full", "sender_full"] as const;

export const MESSAGE_OPERATIONS = {
  send: {
    summary: "Send a chat or a task.",
    params: z
      .strictObject({
        from_claude: f.name.optional().describe("The sender; left out on a socket, it is the one of `hello`."),
        ...sendFields,
        to_claude: sendFields.to_claude.optional().describe(orTemplate(sendFields.to_claude)),
        task: sendFields.task.optional().describe(orTemplate(sendFields.task)),
        template: f.name
          .optional()
          .describe("Send this template; what is said beside it takes the place of what it says, field by field."),
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
      to_claude: f.storedName.optional().describe("Only those to this address."),
      from_claude: f.storedName.optional().describe("Only those from this sender."),
      status: status.optional().describe("Only those in this status."),
      type: type.optional().describe("Only chats, or only tasks."),
      thread_id: f.key.optional().describe("Only those of this conversation."),
      failure: failure.optional().describe("Only those that failed for this reason."),
      lease: leaseState.optional().describe("Only those held like this: kept, detached or expiring."),
      delivered: z
        .boolean()
        .optional()
        .describe("Only those that their recipient's client has taken, or only the others."),
      ready: z
        .boolean()
        .optional()
        .describe("Only pending chats, and tasks that can be claimed now; or only the others."),
      chain_id: f.id.optional().describe("Only those that go on with the exchange that this message began."),
      open_for: f.name
        .optional()
        .describe(
          "Only chats to * that this instance has a receipt for and has not acknowledged, each as it is for it.",
        ),
      order: z.enum(["asc", "desc"]).optional().describe("asc (the default): oldest first."),
      limit: z.int().min(1).max(LIMITS.list_messages).optional().describe(`At most so many (${LIST_DEFAULT}).`),
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
} as const satisfies Record<string, Operation>;
