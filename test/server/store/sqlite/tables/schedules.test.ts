/** A schedule and what it sent are one transaction: a kill leaves both, or neither. */
import { copyFileSync } from "node:fs";
import { expect, test } from "vitest";
import { ManualClock } from "../../../../support/clock.ts";
import { MINUTE } from "../../../core/support.ts";
import { newFile, openStore } from "../files.ts";

/** The database as a kill leaves it at this moment. */
function killed(file: string): string {
  const copy = newFile();
  for (const suffix of ["", "-wal", ".hub-lock"]) copyFileSync(file + suffix, copy + suffix);
  return copy;
}

test("killed before or after an occurrence was settled, it is settled once", async () => {
  const [file, clock] = [newFile(), new ManualClock()];
  const hub = await openStore(file, clock);
  const message = { from_claude: "ops", to_claude: "ada", task: "t" };
  const said = {
    name: "n",
    cron: "* * * * *",
    timezone: "UTC",
    missed: "once",
    overlap: "allow",
    enabled: true,
  } as const;
  const due = clock.now() + MINUTE;
  await hub.outcome({ op: "schedule_put", schedule: { ...said, message }, next: due });
  const before = killed(file);
  clock.advance(MINUTE);
  const fire = { op: "schedule_fire", name: "n", due, next: due + MINUTE } as const;
  await hub.outcome(fire);
  const after = killed(file);
  for (const copy of [before, after]) {
    const next = await openStore(copy, clock);
    const isSettled = copy === after;
    expect(await next.store.timetable()).toMatchObject([{ name: "n", next_at: isSettled ? due + MINUTE : due }]);
    expect(await next.list()).toMatchObject({ messages: isSettled ? [{ task: "t" }] : [] });
    await next.outcome(fire);
    expect((await next.list()).messages).toHaveLength(1);
    expect(JSON.parse((await next.store.schedule("n")) as string)).toMatchObject({ message, overlap: "allow" });
  }
});
