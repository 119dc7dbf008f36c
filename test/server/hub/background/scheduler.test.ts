/** Schedules of a real hub whose clock is held: when they send, how often, and what steps and restarts do to them. */
import { describe, expect, test } from "vitest";
import type { Moment } from "../../../../server/clock.ts";
import { makeIds } from "../../../../server/store/engine/ids.ts";
import type { StoreCommand } from "../../../../server/store/storeCommands.ts";
import { HubError } from "../../../../shared/errors.ts";
import type { Message } from "../../../../shared/message.ts";
import type { Schedule } from "../../../../shared/schedule.ts";
import { ManualClock } from "../../../support/clock.ts";
import { http } from "../../../support/http.ts";
import { startHub, type TestHub } from "../../../support/hub.ts";
import { LEASE } from "../../core/support.ts";
import { MemoryStore } from "../../store/memory/memoryStore.ts";

const [SECOND, MINUTE, HOUR] = [1_000, 60_000, 3_600_000];
const DAY = 24 * HOUR;

class Scene {
  readonly clock: ManualClock;
  readonly hub: TestHub;

  private constructor(clock: ManualClock, hub: TestHub) {
    this.clock = clock;
    this.hub = hub;
  }

  static async start(
    at: string,
    {
      store,
      db,
      clock = new ManualClock(Date.parse(at)),
    }: { store?: MemoryStore; db?: string; clock?: ManualClock } = {},
  ): Promise<Scene> {
    return new Scene(clock, await startHub({ clock, ...(store && { store }), ...(db !== undefined && { db }) }));
  }

  /** The same file, looked at by the next hub, after a while. */
  async restart(awayMs: number): Promise<Scene> {
    await this.hub.close();
    this.clock.advance(awayMs);
    const next = await Scene.start("", { db: this.hub.db, clock: this.clock });
    await next.pass(0);
    return next;
  }

  async put(name: string, fields: object = {}, message: object = {}): Promise<Schedule> {
    const body = { cron: "0 3 * * *", message: { to_claude: "bob", task: name, ...message }, ...fields };
    const headers = { "x-claude-id": "ada" };
    const { status, body: answer } = await http(`${this.hub.url}/schedule/${name}`, { method: "PUT", headers, body });
    expect([status, answer.error]).toEqual([200, undefined]);
    return answer.data;
  }

  async show(name: string): Promise<Schedule> {
    return (await http(`${this.hub.url}/schedule/${name}`)).body.data;
  }

  async remove(name: string): Promise<void> {
    await http(`${this.hub.url}/schedule/${name}`, { method: "DELETE" });
  }

  /** Lets time go by, and what falls due then happen. */
  async pass(ms: number): Promise<void> {
    this.clock.advance(ms);
    for (let i = 0; i < 3; i++) {
      await http(`${this.hub.url}/heartbeat`, { method: "POST", body: { claude_id: "x" } }); // joins the commits in order
      this.clock.advance(0);
    }
  }

  async until(at: string): Promise<void> {
    await this.pass(Date.parse(at) - this.clock.now());
  }

  async sent(): Promise<Message[]> {
    return (await http(`${this.hub.url}/messages?to_claude=bob`)).body.data;
  }

  /** When messages were sent, to the minute. */
  async times(): Promise<string[]> {
    return (await this.sent()).map(({ created_at }) => created_at.slice(0, 16));
  }

  /** Bob does whatever waits for him. */
  async work(): Promise<void> {
    const waiting = (await this.sent()).filter(({ status }) => status === "pending");
    for (const { id } of waiting) await http(`${this.hub.url}/message/${id}/complete`, { method: "POST", body: {} });
  }
}

test("sends at its time, once, in the name of whoever put it, and tells what is to come", async () => {
  const scene = await Scene.start("2026-01-01T00:00:00Z");
  const { upcoming, next_at } = await scene.put("nightly");
  expect(next_at).toBe("2026-01-01T03:00:00.000Z");
  expect(upcoming?.map((at) => at.slice(0, 13))).toEqual([1, 2, 3, 4, 5].map((day) => `2026-01-0${day}T03`));
  await scene.until("2026-01-01T02:59:59.999Z");
  expect(await scene.sent()).toEqual([]);
  await scene.pass(1);
  const [task] = await scene.sent();
  expect(task).toMatchObject({ from_claude: "ada", task: "nightly", created_at: next_at });
  expect(await scene.show("nightly")).toMatchObject({
    last_id: task?.id,
    last_at: next_at,
    next_at: "2026-01-02T03:00:00.000Z",
  });
  await scene.pass(HOUR);
  expect(await scene.sent()).toHaveLength(1);
});

describe("on the wall of Europe/Berlin", () => {
  test.each([
    ["forward", "2026-03-28T12:00:00Z", ["2026-03-29T01:30", "2026-03-30T00:30"]],
    ["back", "2026-10-24T12:00:00Z", ["2026-10-25T00:30", "2026-10-26T01:30"]],
  ])("clocks go %s: 02:30 sends once a day", async (_, start, expected) => {
    const scene = await Scene.start(start);
    await scene.put("daily", { cron: "30 2 * * *", timezone: "Europe/Berlin" });
    const days = [1, 2].map((day) => new Date(scene.clock.now() + day * DAY).toISOString().slice(0, 10));
    for (const at of days.flatMap((day) => [`${day}T00:30:00Z`, `${day}T01:30:00Z`, `${day}T02:30:00Z`])) {
      await scene.until(at);
      await scene.work();
    }
    expect(await scene.times()).toEqual(expected);
  });
});

describe("what is missed", () => {
  test("while the hub was down is made up once, or skipped, as the schedule says", async () => {
    const before = await Scene.start("2026-01-01T00:00:00Z");
    await before.put("once", { cron: "0 * * * *" });
    await before.put("skip", { cron: "0 * * * *", missed: "skip" });
    const scene = await before.restart(10 * HOUR + 5 * MINUTE);
    expect((await scene.sent()).map(({ task, created_at }) => [task, created_at])).toEqual([
      ["once", "2026-01-01T10:05:00.000Z"],
    ]);
    expect(await scene.show("once")).toMatchObject({ next_at: "2026-01-01T11:00:00.000Z" });
    expect(await scene.show("skip")).toMatchObject({
      next_at: "2026-01-01T11:00:00.000Z",
      skipped_because: expect.stringContaining("missed"),
    });
    await scene.work();
    await scene.until("2026-01-01T11:00:00Z");
    expect((await scene.sent()).map(({ task }) => task)).toEqual(["once", "once", "skip"]);
  });

  test("is what comes more than a minute late", async () => {
    const before = await Scene.start("2026-01-01T02:59:00Z");
    await before.put("skip", { missed: "skip" });
    const intime = await before.restart(2 * MINUTE);
    expect(await intime.times()).toEqual(["2026-01-01T03:01"]);
    await intime.work();
    await intime.until("2026-01-02T02:59:00Z");
    const late = await intime.restart(2 * MINUTE + 1);
    expect(await late.times()).toHaveLength(1);
  });

  test("what was sent before a restart is not sent after it", async () => {
    const before = await Scene.start("2026-01-01T02:00:00Z");
    await before.put("nightly");
    await before.pass(HOUR);
    await before.work();
    const scene = await before.restart(0);
    expect(await scene.times()).toEqual(["2026-01-01T03:00"]);
  });
});

describe("steps of the hub's clock", () => {
  const begin = async (fields: object = {}) => {
    const scene = await Scene.start("2026-01-01T02:00:00Z");
    await scene.put("nightly", fields);
    return scene;
  };

  test("put back by an hour after it sent: it does not send again", async () => {
    const scene = await begin();
    await scene.pass(HOUR);
    await scene.work();
    scene.clock.step(-HOUR);
    await scene.pass(2 * HOUR);
    expect(await scene.times()).toEqual(["2026-01-01T03:00"]);
    await scene.until("2026-01-02T03:00:00Z");
    expect(await scene.times()).toHaveLength(2);
  });

  test("put back by more: the clock was ahead, and it sends at its time", async () => {
    const scene = await begin();
    await scene.pass(HOUR);
    await scene.work();
    scene.clock.step(-DAY);
    await scene.pass(30 * SECOND);
    expect(await scene.show("nightly")).toMatchObject({ next_at: "2026-01-01T03:00:00.000Z" });
    await scene.until("2026-01-01T03:00:00Z");
    expect(await scene.times()).toEqual(["2026-01-01T03:00", "2026-01-01T03:00"]);
  });

  const RIGHT: [string, (scene: Scene) => Promise<Scene>][] = [
    ["while the hub runs", async (scene) => scene.pass(30 * SECOND).then(() => scene)],
    ["before a restart", (scene) => scene.restart(0)],
  ];

  test.each(RIGHT)("put right %s, after it was 400 days ahead: all goes on from now", async (_, goOn) => {
    const before = await Scene.start("2026-01-01T02:00:30Z");
    await before.put("sent", { cron: "* * * * *", overlap: "allow" });
    await before.put("skipped", { cron: "* * * * *", missed: "skip" });
    await before.put("hourly", { cron: "30 * * * *", missed: "once" });
    before.clock.step(400 * DAY);
    await before.put("put", { cron: "* * * * *" });
    await before.pass(30 * SECOND);
    expect(await before.show("skipped")).toMatchObject({ skipped_because: expect.stringContaining("missed") });
    await before.work();
    before.clock.step(-400 * DAY);
    const scene = await goOn(before);
    const minute = new Date(Math.floor(scene.clock.now() / MINUTE) * MINUTE + MINUTE).toISOString();
    for (const name of ["sent", "skipped", "put"]) {
      const { next_at, upcoming } = await scene.show(name);
      expect([name, next_at, upcoming?.[0]]).toEqual([name, minute, minute]);
    }
    expect(await scene.show("hourly")).toMatchObject({ next_at: "2026-01-01T02:30:00.000Z" });
    const already = (await scene.sent()).length;
    await scene.until(minute);
    const sent = (await scene.sent()).slice(already).map(({ task, created_at }) => [task, created_at]);
    expect(sent.sort()).toEqual([
      ["put", minute],
      ["sent", minute],
      ["skipped", minute],
    ]);
  });

  test("put back before it sent: it waits for its time", async () => {
    const scene = await begin();
    scene.clock.step(-HOUR);
    await scene.pass(HOUR);
    expect(await scene.sent()).toEqual([]);
    await scene.pass(HOUR);
    expect(await scene.times()).toEqual(["2026-01-01T03:00"]);
  });

  test.each([
    ["once", 1],
    ["skip", 0],
  ])("put forward by some days, missed %s: it sends %i, within half a minute", async (missed, count) => {
    const scene = await begin({ missed });
    scene.clock.step(3 * DAY);
    await scene.pass(30 * SECOND);
    expect(await scene.sent()).toHaveLength(count);
    expect(await scene.show("nightly")).toMatchObject({ next_at: "2026-01-04T03:00:00.000Z" });
  });
});

describe("changed meanwhile", () => {
  test("the new times count, sooner or later", async () => {
    const scene = await Scene.start("2026-01-01T00:00:00Z");
    await scene.put("nightly");
    await scene.put("nightly", { cron: "30 1 * * *" });
    await scene.until("2026-01-01T01:30:00Z");
    expect(await scene.times()).toEqual(["2026-01-01T01:30"]);
    await scene.work();
    await scene.put("nightly", { cron: "0 5 * * *" });
    await scene.until("2026-01-02T04:00:00Z");
    expect(await scene.times()).toEqual(["2026-01-01T01:30", "2026-01-02T04:00"]); // 05:00 was missed in one leap
  });

  test("nothing watches the clock for a schedule that is gone", async () => {
    const scene = await Scene.start("2026-01-01T00:00:00Z");
    const before = scene.clock.armed;
    await scene.put("deleted");
    expect(scene.clock.armed).toBe(before + 1);
    await scene.remove("deleted");
    expect(scene.clock.armed).toBe(before);
  });

  test("what is deleted or not enabled sends nothing", async () => {
    const scene = await Scene.start("2026-01-01T00:00:00Z");
    await scene.put("deleted");
    await scene.put("paused");
    await scene.put("paused", { enabled: false });
    await scene.remove("deleted");
    await scene.pass(2 * DAY);
    expect(await scene.sent()).toEqual([]);
    expect((await http(`${scene.hub.url}/schedules`)).body.data).toMatchObject({
      count: 1,
      schedules: [{ name: "paused" }],
    });
  });
});

test("every second, and nobody takes them: one waits, and the schedule says why there is no other", async () => {
  const scene = await Scene.start("2026-01-01T00:00:00Z");
  await scene.put("dense", { cron: "* * * * * *", overlap: "allow" });
  for (let i = 0; i < 5; i++) await scene.pass(SECOND);
  expect(await scene.sent()).toHaveLength(1);
  expect(await scene.show("dense")).toMatchObject({ skipped_because: expect.stringContaining("waits to be claimed") });
  await scene.work();
  await scene.pass(SECOND);
  expect(await scene.sent()).toHaveLength(2);
});

test("many that are due in one moment all send", async () => {
  const scene = await Scene.start("2026-01-01T02:00:00Z");
  await Promise.all(Array.from({ length: 120 }, (_, i) => scene.put(`of.${i}`)));
  await scene.pass(HOUR);
  const names = await scene.sent();
  expect(names).toHaveLength(100); // a list's default
  expect((await http(`${scene.hub.url}/stats`)).body.data.pending).toBe(120);
});

describe("a store that fails", () => {
  /** Fails once it is told to: before it has committed, or after, when only the answer is lost. */
  class FailingStore extends MemoryStore {
    failing: { op: StoreCommand["op"]; when: "before" | "after" } | undefined;

    constructor() {
      super({ lease: LEASE, newId: makeIds(), random: Math.random });
    }

    override async commit(commands: readonly StoreCommand[], at: Moment) {
      const { failing } = this;
      if (!failing || !commands.some(({ op }) => op === failing.op)) return super.commit(commands, at);
      this.failing = undefined;
      if (failing.when === "after") await super.commit(commands, at);
      throw new HubError("storage_unavailable", "The disk is away");
    }
  }

  test.each(["before", "after"] as const)("%s the commit: the occurrence sends once all the same", async (when) => {
    const store = new FailingStore();
    const scene = await Scene.start("2026-01-01T02:00:00Z", { store });
    await scene.put("nightly");
    store.failing = { op: "schedule_fire", when };
    await scene.pass(HOUR);
    await scene.pass(SECOND);
    await scene.work();
    await scene.pass(SECOND);
    expect(await scene.sent()).toHaveLength(1);
    expect(scene.hub.logged.join()).toContain("sending what is scheduled");
    await scene.until("2026-01-02T03:00:00Z");
    expect(await scene.sent()).toHaveLength(2);
  });

  test("what was put counts although the answer was lost", async () => {
    const store = new FailingStore();
    const scene = await Scene.start("2026-01-01T02:00:00Z", { store });
    store.failing = { op: "schedule_put", when: "after" };
    await expect(scene.put("nightly")).rejects.toThrow();
    await scene.pass(SECOND);
    await scene.until("2026-01-01T03:00:00Z");
    expect(await scene.times()).toEqual(["2026-01-01T03:00"]);
  });
});
