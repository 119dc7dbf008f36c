/** A schedule: a message that is sent again and again, at the times of a cron expression in a time zone. */
import * as z from "zod";
import * as f from "./fields.ts";
import { LIMITS } from "./limits.ts";
import { sendFields } from "./message.ts";

const MISSED = ["once", "skip"] as const;
const OVERLAPS = ["skip", "allow"] as const;

export type Missed = (typeof MISSED)[number];
export type Overlap = (typeof OVERLAPS)[number];

/** An occurrence later than this was missed: the hub was down, or its machine slept. */
export const MISSED_AFTER_MS = 60_000;

/** How many of its next times a schedule lists. */
export const UPCOMING = 5;

const { not_before: _, expires_at: __, after: ___, ...repeatable } = sendFields;

/** What is sent each time. A point in time would be past after the first message, so it has a duration instead. */
const messageFields = {
  from_claude: f.name.optional().describe("The sender; left out, the caller."),
  ...repeatable,
  context: f.text(LIMITS.task_bytes).optional().describe("Whatever helps to do it; as long as a task may be."),
  expires_after_ms: f.durationMs.min(1).optional().describe("Fails as expired when nobody has claimed it so soon."),
};

/** The message as whoever puts the schedule says it. */
export const messageToSchedule = z.strictObject(messageFields).meta({
  id: "MessageToSchedule",
  description: "What is sent each time: what `send` takes, but no points in time.",
});

/** The same message as the hub tells it. */
export const scheduledMessage = z
  .object(messageFields)
  .meta({ id: "ScheduledMessage", description: "What a schedule sends each time." });

const name = f.title.describe("The schedule's name.");
const cron = z.string().min(1).max(LIMITS.cron_chars);
const timezone = z.string().min(1).max(LIMITS.name_chars);

/** What whoever puts a schedule says of it. */
export const scheduleFields = {
  name,
  cron: cron.describe("When: minute hour day month weekday, or second first of six. Example: 0 3 * * MON-FRI."),
  timezone: timezone.optional().describe("Whose clock: an IANA time zone like Europe/Berlin (UTC)."),
  missed: z
    .enum(MISSED)
    .optional()
    .describe("What was missed while the hub was down is made up once (the default), or skipped."),
  overlap: z
    .enum(OVERLAPS)
    .optional()
    .describe("While the message before is not finished, skip (the default); allow: only while it waits untaken."),
  enabled: z.boolean().optional().describe("Whether it sends at all (true)."),
  message: messageToSchedule.describe("What is sent each time."),
};

export const scheduleName = { name };

/** A schedule as the hub tells it. */
export const schedule = z
  .object({
    name: z.string(),
    cron: z.string(),
    timezone: z.string(),
    missed: z.enum(MISSED),
    overlap: z.enum(OVERLAPS),
    enabled: z.boolean(),
    message: scheduledMessage,
    created_at: f.timestamp,
    updated_at: f.timestamp.describe("When it was put last."),
    next_at: f.timestamp.optional().describe("When it is due next; left out: it is not enabled."),
    upcoming: z.array(f.timestamp).optional().describe("The next few times; not in lists."),
    last_at: f.timestamp.optional().describe("When it last sent a message."),
    last_id: f.id.optional().describe("The message that it last sent."),
    skipped_at: f.timestamp.optional().describe("When it last sent nothing although it was due."),
    skipped_because: z.string().optional().describe("Why it sent nothing then."),
  })
  .meta({ id: "Schedule", description: "A message that is sent again and again." });

export type Schedule = z.infer<typeof schedule>;
