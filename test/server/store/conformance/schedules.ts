/** Schedules: an occurrence is settled once, together with the message that it sends. */
import { beforeEach, describe, expect, test } from "vitest";
import type { SaidSchedule, ScheduledMessage } from "../../../../server/core/schedule.ts";
import type { ScheduleCommand } from "../../../../server/store/storeCommands.ts";
import { LIMITS } from "../../../../shared/limits.ts";
import type { Schedule } from "../../../../shared/schedule.ts";
import { MINUTE, name } from "../../core/support.ts";
import type { Section } from "../driver.ts";

const HOUR = 60 * MINUTE;

export const schedules: Section = (hub) => {
  let worker: string;
  beforeEach(() => {
    worker = hub().newName("worker");
  });

  const said = (more: Partial<SaidSchedule> = {}, message: Partial<ScheduledMessage> = {}): SaidSchedule => ({
    name: `of.${worker}`,
    cron: "0 * * * *",
    timezone: "UTC",
    missed: "once",
    overlap: "skip",
    enabled: true,
    message: { from_claude: "boss", to_claude: worker, task: "tidy", ...message },
    ...more,
  });
  const told = async (command: ScheduleCommand): Promise<Schedule> => {
    const { json } = await hub().outcome(command);
    return JSON.parse(json as string);
  };
  const put = (schedule = said(), next: number | null = hub().now + HOUR) =>
    told({ op: "schedule_put", schedule, next });
  /** Comes to an occurrence and fires it. */
  const fire = (next_at: string | undefined, skip?: string) => {
    const due = Date.parse(next_at as string);
    if (due > hub().now) hub().clock.advance(due - hub().now);
    return told({ op: "schedule_fire", name: said().name, due, next: due + HOUR, ...(skip !== undefined && { skip }) });
  };
  const sent = () => hub().all({ to_claude: worker });

  test("is told as it was said, and where it stands", async () => {
    const at = new Date(hub().now).toISOString();
    const schedule = await put(said({ timezone: "Asia/Kolkata" }, { priority: "high" }));
    const next_at = new Date(hub().now + HOUR).toISOString();
    const { message, ...more } = said({ timezone: "Asia/Kolkata" }, { priority: "high" });
    expect(schedule).toEqual({ ...more, message, created_at: at, updated_at: at, next_at });
    expect(JSON.parse((await hub().store.schedule(schedule.name)) as string)).toEqual(schedule);
    expect(await hub().store.schedule("nobody's")).toBeNull();
  });

  test("that was put while the clock was ahead comes sooner once it is put again", async () => {
    await put(said(), hub().now + 24 * HOUR);
    const next_at = new Date(hub().now + HOUR).toISOString();
    expect(await put(said(), hub().now + HOUR)).toMatchObject({ next_at });
    expect(await put(said(), hub().now + 2 * HOUR)).toMatchObject({ next_at });
  });

  describe("that went on while the clock was ahead", () => {
    const iso = (ms: number) => new Date(ms).toISOString();
    const rewind = (due: string | undefined, next: number) =>
      told({ op: "schedule_rewind", name: said().name, due: Date.parse(due as string), next });
    /** Settles what is due by then, or does something else, by a clock that is ahead and put right afterwards. */
    const ahead = async (ms: number, goOn?: () => Promise<Schedule>, skip?: string) => {
      const due = Date.parse((await put(said({ overlap: "allow" }))).next_at as string);
      hub().clock.step(ms);
      const settled = { name: said().name, due, next: hub().now + HOUR, ...(skip !== undefined && { skip }) };
      const after = await (goOn?.() ?? told({ op: "schedule_fire", ...settled }));
      hub().clock.step(-ms);
      return after;
    };

    test.each([undefined, "it was missed"])("is due again at its time, whether it sent or not (%s)", async (skip) => {
      const after = await ahead(24 * HOUR, undefined, skip);
      const next = hub().now + MINUTE;
      expect(await rewind(iso(next), next)).toEqual(after); // it was not due then
      expect(await rewind(after.next_at, next)).toEqual({ ...after, next_at: iso(next) });
      expect(JSON.parse((await hub().store.schedule(said().name)) as string)).toMatchObject({ next_at: iso(next) });
    });

    test("is due again at its time when it was put then", async () => {
      const after = await ahead(24 * HOUR, () => put(said({ cron: "30 * * * *" })));
      expect(await rewind(after.next_at, hub().now + MINUTE)).toMatchObject({ next_at: iso(hub().now + MINUTE) });
    });

    test("by no more than an hour, stays as it is: nothing is sent twice", async () => {
      const after = await ahead(HOUR);
      expect(await rewind(after.next_at, hub().now + MINUTE)).toEqual(after);
    });

    test("is not taken back again by small steps of the clock that was put right", async () => {
      const right = await rewind((await ahead(24 * HOUR)).next_at, hub().now + MINUTE);
      const after = await fire(right.next_at, "it was missed");
      hub().clock.step(-MINUTE);
      expect(await rewind(after.next_at, hub().now + MINUTE)).toEqual(after);
    });

    test("is not put off", async () => {
      const after = await ahead(24 * HOUR);
      expect(await rewind(after.next_at, Date.parse(after.next_at as string) + HOUR)).toEqual(after);
    });
  });

  test("fires: a message of its thread, and the next time, in one", async () => {
    const { next_at } = await put();
    const after = await fire(next_at);
    const [task] = await sent();
    expect(task).toMatchObject({ from_claude: "boss", task: "tidy", status: "pending" });
    expect(task).toMatchObject({ created_at: next_at, thread_id: `schedule:${after.name}` });
    const later = new Date(Date.parse(next_at as string) + HOUR).toISOString();
    expect(after).toMatchObject({ last_id: task?.id, last_at: next_at, next_at: later });
    expect((await hub().eventsOf(task as never))[0]).toMatchObject({ kind: "new", actor: "boss" });
  });

  test("an occurrence that is settled is over, however often it is fired", async () => {
    const { next_at } = await put(said({ overlap: "allow" }));
    const first = await fire(next_at);
    await hub().claimNext(name(worker));
    expect(await fire(next_at)).toEqual(first);
    const due = Date.parse(next_at as string);
    const again = { op: "schedule_fire", name: first.name, due, next: due + 2 * HOUR } as const;
    const { outcomes } = await hub().commit(again, again);
    expect(outcomes.map((outcome) => outcome.ok && JSON.parse(outcome.json as string))).toEqual([first, first]);
    expect(await sent()).toHaveLength(1);
  });

  test("one that was changed or deleted meanwhile fires no more", async () => {
    const { next_at, name: which } = await put();
    const changed = await put(said({ cron: "30 * * * *" }), hub().now + HOUR / 2);
    expect(changed.next_at).not.toBe(next_at);
    expect(await fire(next_at)).toEqual(changed);
    await hub().outcome({ op: "schedule_delete", name: which });
    const due = Date.parse(changed.next_at as string);
    expect(await hub().outcome({ op: "schedule_fire", name: which, due, next: null })).toMatchObject({ json: null });
    expect(await sent()).toEqual([]);
    await expect(hub().outcome({ op: "schedule_delete", name: which })).rejects.toMatchObject({ code: "not_found" });
  });

  test("said again, what is to come stays to come; other times begin anew", async () => {
    const { next_at, created_at } = await put();
    hub().clock.advance(MINUTE);
    expect(await put(said({}, { task: "tidy well" }))).toMatchObject({
      next_at,
      created_at,
      message: { task: "tidy well" },
      updated_at: new Date(hub().now).toISOString(),
    });
    const moved = new Date(hub().now + HOUR).toISOString();
    expect(await put(said({ timezone: "Europe/Berlin" }))).toMatchObject({ next_at: moved });
    expect(await put(said({ enabled: false }))).not.toHaveProperty("next_at");
    expect((await hub().store.timetable()).map((timing) => timing.name)).not.toContain(said().name);
    expect(await put()).toMatchObject({ next_at: moved });
  });

  test.each([
    ["skip", "pending", "its last message still waits to be claimed"],
    ["skip", "in_progress", "its last message is still in progress"],
    ["skip", "complete", undefined],
    ["allow", "pending", "its last message still waits to be claimed"],
    ["allow", "in_progress", undefined],
    ["skip", "deleted", undefined],
  ] as const)("overlap %s, while the message before is %s: %s", async (overlap, status, why) => {
    const { next_at } = await put(said({ overlap }));
    const first = await fire(next_at);
    if (status === "deleted") await hub().delete({ id: first.last_id as string });
    else if (status !== "pending") await hub().claimNext(name(worker));
    if (status === "complete") await hub().complete((await sent())[0] as never, name(worker));
    const second = await fire(first.next_at);
    expect(Date.parse(second.next_at as string)).toBe(Date.parse(first.next_at as string) + HOUR);
    if (why === undefined) expect(second.last_id).not.toBe(first.last_id);
    else expect(second).toMatchObject({ last_id: first.last_id, skipped_at: first.next_at, skipped_because: why });
  });

  test("a chat that was delivered is taken; one for everyone gives way to the next", async () => {
    const { next_at } = await put(said({}, { type: "chat" }));
    const first = await fire(next_at);
    const held = await fire(first.next_at);
    expect(held).toMatchObject({ last_id: first.last_id, skipped_because: "its last message is still unread" });
    await hub().commit({ op: "delivered", reader: worker, ids: [first.last_id as string] });
    expect((await fire(held.next_at)).last_id).not.toBe(first.last_id);
    const everyone = await put(said({}, { type: "chat", to_claude: "*" }));
    const call = await fire(everyone.next_at);
    expect(await hub().get({ id: call.last_id as string })).toMatchObject({ expires_at: call.next_at });
    expect((await fire(call.next_at)).last_id).not.toBe(call.last_id);
  });

  test("what is skipped sends nothing and says why", async () => {
    const { next_at } = await put();
    const after = await fire(next_at, "it was missed");
    expect(after).toMatchObject({ skipped_at: next_at, skipped_because: "it was missed" });
    expect(after).not.toHaveProperty("last_id");
    expect(await sent()).toEqual([]);
  });

  test("each message expires so long after it was sent", async () => {
    const { next_at } = await put(said({}, { expires_after_ms: MINUTE }));
    const { last_id, last_at } = await fire(next_at);
    const expires_at = new Date(Date.parse(last_at as string) + MINUTE).toISOString();
    expect(await hub().get({ id: last_id as string })).toMatchObject({ expires_at });
  });

  test("what could never be sent is refused, and the schedule before it stays", async () => {
    const before = await put();
    await expect(put(said({}, { to_claude: "*" }))).rejects.toMatchObject({ code: "not_a_task" });
    expect(JSON.parse((await hub().store.schedule(before.name)) as string)).toEqual(before);
  });

  test("are listed by name, page after page, within their bound", async () => {
    await hub().delete(await hub().send({ to_claude: worker }));
    const all = (await hub().store.schedules({ limit: 500 })).schedules;
    const room = LIMITS.schedules - all.length;
    const named = (i: number) => said({ name: `full.${String(i).padStart(4, "0")}`, enabled: false });
    const commands = Array.from({ length: room }, (_, i) => ({
      op: "schedule_put" as const,
      schedule: named(i),
      next: null,
    }));
    await hub().commit(...commands);
    const more = hub().outcome({ op: "schedule_put", schedule: said({ name: "full.more" }), next: null });
    await expect(more).rejects.toMatchObject({ code: "too_many_schedules", details: { limit: LIMITS.schedules } });
    await hub().outcome({ op: "schedule_put", schedule: named(0), next: null });
    const names: string[] = [];
    for (let next: string | null | undefined; next !== null; ) {
      const page: { schedules: string[]; next: string | null } = await hub().store.schedules({
        limit: 300,
        next: next ?? undefined,
      });
      names.push(...page.schedules.map((json) => (JSON.parse(json) as Schedule).name));
      next = page.next;
    }
    expect(names).toHaveLength(LIMITS.schedules);
    expect(names).toEqual([...new Set(names)].sort());
    await hub().commit(...commands.map(({ schedule }) => ({ op: "schedule_delete", name: schedule.name }) as const));
    expect((await hub().store.schedules({ limit: 500 })).schedules).toHaveLength(all.length);
  });
};
