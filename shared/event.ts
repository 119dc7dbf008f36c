/** What happened to messages: entries of the log, and pages of them. */
import * as z from "zod";
import * as f from "./fields.ts";
import { failure, progress, status, type } from "./message.ts";
import { EVENT_KINDS } from "./vocabulary.ts";

const eventKind = z.enum(EVENT_KINDS);
/** Some kinds; over REST with commas between them. */
export const eventKinds = z.array(eventKind).max(EVENT_KINDS.length);
export type EventKind = z.infer<typeof eventKind>;

/** `new` carries the whole message; later events its addresses, its state and what changed. */
export const eventMessage = z
  .looseObject({
    id: f.id,
    from_claude: z.string(),
    to_claude: z.string(),
    type,
    status,
    attempt: z.int().optional(),
    task: z.string().optional(),
    context: z.string().optional(),
    result: z.string().optional(),
    error: z.string().optional(),
    failure: failure.optional(),
    claimed_by: z.string().optional(),
    lease_until: f.timestamp.optional(),
    not_before: f.timestamp.optional(),
    tries_left: z.int().optional(),
    progress: progress.optional(),
    late_attempt: z.int().optional().describe("Of `late`: whose refused outcome this is."),
    erased: z.literal(true).optional().describe("The message was deleted later; its bodies are gone."),
  })
  .meta({ id: "EventMessage", description: "The message as one event tells of it." });

export const event = z
  .object({
    seq: z.int(),
    kind: eventKind,
    at: f.timestamp,
    actor: z.string().optional().describe("Who did it; absent when the hub did."),
    message: eventMessage,
  })
  .meta({ id: "Event", description: "One entry of the log." });

export const page = z
  .object({
    after: f.cursor.describe("Where the page starts: compare it with your own cursor."),
    cursor: f.cursor.describe("Where it leads: your cursor once you have applied the events."),
    events: z.array(event),
  })
  .meta({ id: "Page", description: "A contiguous stretch of the log as one reader may see it. May be empty." });

export type Event = z.infer<typeof event>;
export type EventMessage = z.infer<typeof eventMessage>;
export type Page = z.infer<typeof page>;

/** Why a cursor could not be resumed. */
export const lostReason = z.enum(["pruned", "epoch", "ahead", "filter_changed"]);
export type LostReason = z.infer<typeof lostReason>;
