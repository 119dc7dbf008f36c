/** What the operations on schedules do. */
import type * as z from "zod";
import { HubError } from "../../../shared/errors.ts";
import type { OPERATIONS } from "../../../shared/operations.ts";
import { UPCOMING } from "../../../shared/schedule.ts";
import type { SaidSchedule } from "../../core/schedule.ts";
import { iso } from "../../store/messageJson.ts";
import { noSchedule, type Timing } from "../../store/schedules.ts";
import type { Answer } from "../answer.ts";
import type { Client } from "../client.ts";
import type { Hub } from "../hub.ts";
import { Recurrence } from "./recurrence.ts";

type Named = "schedule_put" | "schedule_get" | "schedule_list" | "schedule_delete";
type Checked<N extends Named> = z.output<(typeof OPERATIONS)[N]["params"]>;

export async function schedulePut(hub: Hub, params: Checked<"schedule_put">, client: Client): Promise<Answer> {
  const schedule = withDefaults(params, client);
  const next = new Recurrence(schedule.cron, schedule.timezone).nextAfter(hub.clock.now());
  if (next === null) {
    throw new HubError("invalid_params", `cron ${JSON.stringify(schedule.cron)} never comes: no day is such a day`, {
      field: "cron",
    });
  }
  const json = await hub.scheduler.commit({ op: "put_schedule", schedule, next });
  return { value: withUpcoming(json as string) };
}

export async function scheduleGet(hub: Hub, { name }: Checked<"schedule_get">): Promise<Answer> {
  const json = await hub.store.schedule(name);
  if (json === null) throw noSchedule(name);
  return { value: withUpcoming(json) };
}

export async function scheduleList(hub: Hub, { limit = 100, next }: Checked<"schedule_list">): Promise<Answer> {
  const slice = await hub.store.schedules({ limit, next });
  const more = slice.next === null ? "" : `,"next":${JSON.stringify(slice.next)}`;
  return { value: `{"schedules":[${slice.schedules.join(",")}],"count":${slice.schedules.length}${more}}` };
}

export async function scheduleDelete(hub: Hub, { name }: Checked<"schedule_delete">): Promise<Answer> {
  await hub.scheduler.commit({ op: "delete_schedule", name });
  return { value: JSON.stringify({ name, deleted: true }) };
}

function withDefaults({ message, ...said }: Checked<"schedule_put">, client: Client): SaidSchedule {
  const { from_claude = client.claude_id, ...more } = message;
  if (from_claude === null) {
    throw new HubError("invalid_params", "Missing field: message.from_claude", { field: "message.from_claude" });
  }
  const { name, cron, timezone = "UTC", missed = "once", overlap = "skip", enabled = true } = said;
  return { name, cron, timezone, missed, overlap, enabled, message: { from_claude, ...more } };
}

/** Adds the next few times, the first of which is the one that the schedule is due at. */
function withUpcoming(json: string): string {
  const { cron, timezone, next_at } = JSON.parse(json) as Omit<Timing, "next_at"> & { next_at?: string };
  if (next_at === undefined) return json;
  const later = new Recurrence(cron, timezone).upcoming(Date.parse(next_at), UPCOMING - 1);
  return `${json.slice(0, -1)},"upcoming":${JSON.stringify([next_at, ...later.map(iso)])}}`;
}
