/** One suite over the three readers of the log: WebSocket session, long poll, server-sent events. */
import { copyFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import Database from "better-sqlite3";
import { beforeAll, describe, expect, test } from "vitest";
import type { Event } from "../../shared/event.ts";
import { ManualClock } from "../support/clock.ts";
import { startHub, type TestHub } from "../support/hub.ts";
import { seededRandom } from "../support/random.ts";
import { tempDir } from "../support/tempDir.ts";
import { isLast, NAMES, visibleTo, Workers } from "./log.ts";
import { CARRIERS, type Carrier } from "./readers.ts";

/** Every view there is: three that take part, one that does not, an observer. */
const VIEWS = [...NAMES, "stranger", undefined];

/** The cursor at a position of the log that another cursor belongs to. */
const at = (cursor: string, seq: number) => `${cursor.split(".")[0]}.${seq}`;

const ELSEWHERE = "0123456789ab.0";

interface Scene {
  hub: TestHub;
  workers: Workers;
  /** Where the log stood at first. */
  origin: string;
}

async function startScene(options: Parameters<typeof startHub>[0] = {}): Promise<Scene> {
  const hub = await startHub(options);
  const workers = await Workers.start(hub, seededRandom());
  return { hub, workers, origin: await workers.head() };
}

/** A scene with a log that has come to its end. */
async function startTold(steps: number, contextChars = 0): Promise<Scene & { all: Event[] }> {
  const scene = await startScene();
  await scene.workers.work(steps, contextChars);
  await scene.workers.finish();
  return { ...scene, all: await scene.workers.log(scene.origin) };
}

describe.each(CARRIERS)("$name", ({ start }: Carrier) => {
  describe("without a cursor", () => {
    test("begins at the head: nothing of before, everything from then on", async () => {
      const { hub, workers } = await startScene();
      await workers.send("bob");
      const reader = await start(hub, { as: "bob" });
      expect(reader.cursor).toBe(await workers.head());
      const { id } = await workers.send("bob");
      expect(await reader.nextPage()).toMatchObject({ events: [{ kind: "new", message: { id } }] });
    });

    test("shows what is meant for its reader and nothing else, as it happens", async () => {
      const { hub, workers, origin } = await startScene();
      const readers = await Promise.all(VIEWS.map((as) => start(hub, { as })));
      const reading = Promise.all(readers.map((reader) => reader.until(isLast)));
      await workers.work(80);
      await workers.finish();
      const all = await workers.log(origin);
      expect(all.length).toBeGreaterThan(40);
      for (const [i, events] of (await reading).entries()) expect(events).toEqual(all.filter(visibleTo(VIEWS[i])));
    });
  });

  describe("with a cursor", () => {
    let told: Awaited<ReturnType<typeof startTold>>;
    beforeAll(async () => {
      told = await startTold(60);
    });

    test.each(VIEWS)("shows %s exactly the rest, from wherever it goes on", async (as) => {
      const { hub, all, origin } = told;
      for (let seq = 0; seq < all.length; seq++) {
        const reader = await start(hub, { as, from: at(origin, seq) });
        const rest = all.filter((event) => event.seq > seq && visibleTo(as)(event));
        expect(await reader.until(isLast)).toEqual(rest);
        reader.cut();
      }
    });

    test("at the head waits for what comes next", async () => {
      const { hub, workers, origin, all } = told;
      const reader = await start(hub, { as: "bob", from: at(origin, all.length) });
      const coming = reader.until(() => true);
      const { id } = await workers.send("bob");
      expect(await coming).toMatchObject([{ kind: "new", message: { id } }]);
    });
  });

  test.each([1, 2, 5])("cut off after every page %i, shows everything once", async (k) => {
    const before = await startScene();
    await before.workers.work(40, 40_000);
    await before.hub.close(); // so that the first pages come from the disk, and are many
    const { hub, workers } = await startScene({ db: before.hub.db });
    const working = workers.work(40, 1_000).then(() => workers.finish());
    const events: Event[] = [];
    const isOver = () => events.at(-1) !== undefined && isLast(events.at(-1) as Event);
    let [cursor, cuts] = [before.origin, 0];
    while (!isOver()) {
      const reader = await start(hub, { from: cursor, limit: 3 });
      for (let i = 0; i < k && !isOver(); i++) events.push(...(await reader.nextPage()).events);
      cursor = reader.cursor;
      reader.cut();
      cuts++;
    }
    await working;
    expect(cuts).toBeGreaterThan(1);
    expect(events).toEqual(await workers.log(before.origin));
  });

  test("live and replayed are the same bytes, from memory and from disk", async () => {
    const { hub, workers, origin } = await startScene();
    const live = (await start(hub)).until(isLast);
    await workers.work(120, 300);
    await workers.finish();
    const bytes = JSON.stringify(await live);
    const warm = await start(hub, { from: origin });
    expect(JSON.stringify(await warm.until(isLast))).toBe(bytes);
    expect(JSON.stringify(await workers.log(origin))).toBe(bytes);
    await hub.close();
    const cold = await start(await startHub({ db: hub.db }), { from: origin });
    expect(JSON.stringify(await cold.until(isLast))).toBe(bytes);
  });

  test("a deleted message is told with its bodies live, and replayed without", async () => {
    const { hub, workers, origin } = await startScene();
    const live = await start(hub);
    const { id } = await workers.send("bob", "secret task", "secret context");
    const [sent] = (await live.nextPage()).events as [Event];
    expect(sent.message).toMatchObject({ task: "secret task", context: "secret context" });
    await workers.delete(id);
    const [deleted] = (await live.nextPage()).events as [Event];
    expect(deleted).toMatchObject({ kind: "deleted", message: { id } });
    await workers.finish();
    const { task, context, ...rest } = sent.message;
    const replay = await (await start(hub, { from: origin })).until(isLast);
    expect(replay.slice(0, 2)).toEqual([{ ...sent, message: { ...rest, erased: true } }, deleted]);
    await hub.close();
    const cold = await start(await startHub({ db: hub.db }), { from: origin });
    expect(await cold.until(isLast)).toEqual(replay);
  });

  test("an empty page leads past what is not for the reader, and keeps the line alive", async () => {
    const clock = new ManualClock();
    const { hub, workers } = await startScene({ clock });
    const reader = await start(hub, { as: "stranger" });
    for (const to of ["bob", "cyd"]) {
      await workers.send(to);
      const page = await whileTimePasses(clock, reader.nextPage());
      expect(page).toMatchObject({ cursor: await workers.head(), events: [] });
    }
  });

  describe("a cursor that the log does not go on from", () => {
    test("is told as one of another log", async () => {
      const { hub, workers } = await startScene();
      await workers.send("bob");
      const reader = await start(hub, { from: ELSEWHERE });
      expect(reader.lost).toEqual({ reason: "epoch", cursor: await workers.head() });
    });

    test("is told as ahead of the log", async () => {
      const { hub, origin } = await startScene();
      for (const seq of [1, 999_999_999_999_999]) {
        const reader = await start(hub, { from: at(origin, seq) });
        expect(reader.lost).toEqual({ reason: "ahead", cursor: origin });
      }
      expect((await start(hub, { from: origin })).lost).toBeUndefined();
    });

    test("is told as pruned, unless all of the rest is kept", async () => {
      const { hub, origin, all } = await startTold(10);
      await hub.close();
      const db = new Database(hub.db);
      db.exec("DELETE FROM coordination_log WHERE seq < 5");
      db.close();
      const pruned = await startHub({ db: hub.db });
      const { lost } = await start(pruned, { from: at(origin, 3) });
      expect(lost).toEqual({ reason: "pruned", cursor: at(origin, all.length) });
      const kept = await start(pruned, { from: at(origin, 4) });
      expect(kept.lost).toBeUndefined();
      expect(await kept.until(isLast)).toEqual(all.slice(4));
    });

    test("is told as another log's when the file was restored from a backup", async () => {
      const { hub, workers } = await startTold(10);
      const copy = join(tempDir(), "copy.db");
      await hub.hub.backup(copy);
      const saved = await workers.head();
      await workers.send("bob");
      const newer = await workers.head();
      await hub.close();
      const restored = await startHub({ db: copy });
      for (const from of [saved, newer]) expect((await start(restored, { from })).lost?.reason).toBe("epoch");
    });

    test("is told as another log's when the file was rolled back by hand", async () => {
      const first = await startTold(10);
      await first.hub.close();
      const copy = join(tempDir(), "copy.db");
      copyFileSync(first.hub.db, copy);
      const second = await startScene({ db: first.hub.db });
      await second.workers.send("bob");
      const cursor = await second.workers.head();
      await second.hub.close();
      copyFileSync(copy, first.hub.db);
      const third = await startScene({ db: first.hub.db });
      await third.workers.work(10); // so that the seq of the cursor is there again
      expect((await start(third.hub, { from: cursor })).lost?.reason).toBe("epoch");
    });

    test("comes with one to go on from", async () => {
      const { hub, workers } = await startScene();
      const { lost } = await start(hub, { as: "bob", from: ELSEWHERE });
      const reader = await start(hub, { as: "bob", from: lost?.cursor });
      const { id } = await workers.send("bob");
      expect((await reader.until(() => true))[0]?.message.id).toBe(id);
    });
  });
});

/** Lets a manual clock run, slowly enough for peers to answer, until something has happened. */
async function whileTimePasses<T>(clock: ManualClock, happens: Promise<T>): Promise<T> {
  let over = false;
  const done = () => {
    over = true;
  };
  happens.then(done, done);
  while (!over) {
    clock.advance(1_000);
    await setTimeout(2);
  }
  return happens;
}
