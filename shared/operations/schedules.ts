/** The operations on schedules: rows of the operations table. */
import * as z from "zod";
import { LIST_DEFAULT } from "../defaults.ts";
import { WRITE_ERRORS } from "../errors.ts";
import * as f from "../fields.ts";
import { LIMITS } from "../limits.ts";
import { schedule, scheduleFields, scheduleName } from "../schedule.ts";
import type { Operation } from "./operation.ts";

export const SCHEDULE_OPERATIONS = {
  schedule_put: {
    summary: "Keep a schedule under a name: new, or in the place of the one of that name.",
    params: z.strictObject(scheduleFields),
    result: schedule,
    rest: { method: "PUT", paths: ["/schedule/:name"], shape: "data" },
    repeat: "same",
    errors: ["too_large", "not_a_task", "too_many_schedules", ...WRITE_ERRORS],
  },
  schedule_get: {
    summary: "Read one schedule, with its next few times.",
    params: z.strictObject(scheduleName),
    result: schedule,
    rest: { method: "GET", paths: ["/schedule/:name"], shape: "data" },
    repeat: "read",
    errors: ["not_found"],
  },
  schedule_list: {
    summary: "List schedules by name.",
    params: z.strictObject({
      limit: z.int().min(1).max(LIMITS.list_messages).optional().describe(`At most so many (${LIST_DEFAULT}).`),
      next: f.name.optional().describe("Where the list before ended."),
    }),
    result: z
      .object({ schedules: z.array(schedule), count: f.count, next: z.string().optional() })
      .meta({ id: "ScheduleList" }),
    rest: { method: "GET", paths: ["/schedules"], shape: "data" },
    repeat: "read",
    errors: [],
  },
  schedule_delete: {
    summary: "Delete a schedule; what it has sent stays.",
    params: z.strictObject(scheduleName),
    result: z.object({ name: z.string(), deleted: z.literal(true) }).meta({ id: "ScheduleDeleted" }),
    rest: { method: "DELETE", paths: ["/schedule/:name"], shape: "data" },
    repeat: "same",
    errors: ["not_found", ...WRITE_ERRORS],
  },
} as const satisfies Record<string, Operation>;
