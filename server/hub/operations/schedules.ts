/** Schedules: messages that are sent when their time comes, again and again. */
import { LIST_DEFAULT } from "../../../shared/defaults.ts";
import { HubError } from "../../../shared/errors.ts";
import type { SCHEDULE_OPERATIONS } from "../../../shared/operations/schedules.ts";
import { missingField, noSchedule } from "../../../shared/refusals.ts";
import { UPCOMING } from "../../../shared/schedule.ts";
import type { SaidSchedule } from "../../core/schedule.ts";
import { iso } from "../../iso.ts";
import { listed } from "../answer.ts";
import { Recurrence } from "../background/recurrence.ts";
import { timingIn } from "../background/scheduler.ts";
import type { Client } from "../caller/client.ts";
import type { Checked, Handlers } from "./handler.ts";

export const SCHEDULES: Handlers<keyof typeof SCHEDULE_OPERATIONS> = {
  async schedule_put(hub, params, client) {
    const schedule = withDefaults(params, client);
    const upcoming = new Recurrence(schedule.cron, schedule.timezone).upcoming(hub.clock.now(), UPCOMING);
    const [next] = upcoming;
    if (next === undefined) {
      throw new HubError("invalid_params", `cron ${JSON.stringify(schedule.cron)} never comes: no day is such a day`, {
        field: "cron",
      });
    }
    const json = await hub.scheduler.commit({ op: "schedule_put", schedule, next });
    return { value: withUpcoming(json, upcoming) };
  },

  async schedule_get(hub, { name }) {
    const json = await hub.store.schedule(name);
    if (json !== null) return { value: withUpcoming(json) };
    const known = (await hub.store.timetable()).map((one) => one.name);
    throw noSchedule(name, known);
  },

  async schedule_list(hub, { limit = LIST_DEFAULT, next }) {
    const slice = await hub.store.schedules({ limit, next });
    return { parts: { ...listed("schedules", slice.schedules, slice.next), count: `${slice.schedules.length}` } };
  },

  async schedule_delete(hub, { name }) {
    await hub.scheduler.commit({ op: "schedule_delete", name });
    return { parts: { name: JSON.stringify(name), deleted: "true" } };
  },
};

function withDefaults({ message, ...said }: Checked<"schedule_put">, client: Client): SaidSchedule {
  const { from_claude = client.claude_id, ...more } = message;
  if (from_claude === null) throw missingField("message.from_claude");
  const { name, cron, timezone = "UTC", missed = "once", overlap = "skip", enabled = true } = said;
  return { name, cron, timezone, missed, overlap, enabled, message: { from_claude, ...more } };
}

/** Adds the next few times, beginning with the one at which the schedule is due. @param known these times, as a rule. */
function withUpcoming(json: string, known: readonly number[] = []): string {
  const { cron, timezone, next_at } = timingIn(json);
  if (next_at === null) return json;
  const asKnown = known[0] === next_at;
  const upcoming = asKnown ? known : [next_at, ...new Recurrence(cron, timezone).upcoming(next_at, UPCOMING - 1)];
  return `${json.slice(0, -1)},"upcoming":${JSON.stringify(upcoming.map(iso))}}`;
}
