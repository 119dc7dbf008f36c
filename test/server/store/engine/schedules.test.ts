/** What a schedule does when the hub refuses its message. */
import { expect, test } from "vitest";
import { Schedules } from "../../../../server/store/engine/schedules.ts";
import { HubError } from "../../../../shared/errors.ts";
import { NOW } from "../../core/support.ts";
import { MemorySchedules } from "../memory/memorySchedules.ts";

test("a send that is refused is skipped with the reason, and the next one is tried", () => {
  const table = new MemorySchedules();
  let refuses = true;
  const send = () => {
    if (refuses) throw new HubError("too_many_requests", "ada has enough to do");
    return "id-1";
  };
  const schedules = new Schedules({ table, message: () => undefined, send, say: (json) => json });
  const message = { from_claude: "ops", to_claude: "ada", task: "t" };
  const said = {
    name: "n",
    cron: "* * * * *",
    timezone: "UTC",
    missed: "once",
    overlap: "skip",
    enabled: true,
  } as const;
  schedules.put({ op: "schedule_put", schedule: { ...said, message }, next: NOW + 1 }, NOW);
  schedules.fire({ op: "schedule_fire", name: "n", due: NOW + 1, next: NOW + 2 }, NOW + 1);
  expect(table.get("n")).toMatchObject({ next_at: NOW + 2, last_id: null, skipped_because: "ada has enough to do" });
  refuses = false;
  schedules.fire({ op: "schedule_fire", name: "n", due: NOW + 2, next: NOW + 3 }, NOW + 2);
  expect(table.get("n")).toMatchObject({ next_at: NOW + 3, last_id: "id-1", last_at: NOW + 2 });
});
