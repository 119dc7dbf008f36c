/** One suite over the three readers of the log: WebSocket session, long poll, server-sent events. */
import { copyFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { beforeAll, describe, expect, test } from "vitest";
import { BetterSqlite } from "../../server/store/sqlite/betterSqlite.ts";
import type { Event, EventKind } from "../../shared/event.ts";
import { ManualClock } from "../support/clock.ts";
import { http } from "../support/http.ts";
import { startHub, type TestHub } from "../support/hub.ts";
import { seededRandom } from "../support/random.ts";
import { tempDir } from "../support/tempDir.ts";
import { isLast, NAMES, visibleTo, Workers } from "./log.ts";
import { CARRIERS, type Carrier, type LogReader } from "./readers.ts";

/** Every view there is: three that take part, one that does not, an observer. */
const VIEWS = [...NAMES, "stranger", undefined];

/** Readers of some kinds of event; the last one of all is a `new`. */
const KINDS: EventKind[][] = [["new"], ["new", "completed", "failed"]];

/** The cursor at a position of the log that another cursor belongs to. */
const at = (cursor: string, seq: number) => `${cursor.split(".")[0]}.${seq}`;

const ELSEWHERE = "0123456789ab.0";

let runs = 0;

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

describe.each(CARRIERS)("$name", ({ start }: Carrier) => {
  let scene: Scene;
  let live: Event[][];
  let all: Event[];

  beforeAll(async () => {
    scene = await startScene();
    const readers = await Promise.all(VIEWS.map((as) => start(scene.hub, { as })));
    const reading = Promise.all(readers.map((reader) => reader.until(isLast)));
    await scene.workers.work(120, 50);
    await scene.workers.finish();
    live = await reading;
    all = await scene.workers.log(scene.origin);
  });

  test("shows what is meant for its reader and nothing else, as it happens", () => {
    expect(all.length).toBeGreaterThan(40);
    for (const [i, events] of live.entries()) expect(events).toEqual(all.filter(visibleTo(VIEWS[i])));
  });

  test("begins at the head: nothing of before, everything from then on", async () => {
    const { hub, workers } = scene;
    const reader = await start(hub, { as: "bob" });
    expect(reader.cursor).toBe(await workers.head());
    const { id } = await workers.send("bob");
    expect(await reader.nextPage()).toMatchObject({ events: [{ kind: "new", message: { id } }] });
  });

  test("shows a member what is for its pools, and others that it is one", async () => {
    const { hub, workers } = scene;
    const reader = await start(hub, { as: "member", roles: ["tester", "writer"] });
    const sent = [await workers.send("@writer"), await workers.send("@reader"), await workers.send("@tester")];
    const [first, , last] = sent.map(({ id }) => id);
    const events = await reader.until(({ message }) => message.id === last);
    expect(events.map(({ message }) => message.id)).toEqual([first, last]);
    const { instances } = (await http(`${hub.url}/presence/member`)).body.data;
    expect(instances).toMatchObject([{ state: "online", roles: ["tester", "writer"], reachability: "connected" }]);
    reader.cut();
  });

  test.each(VIEWS)("shows %s exactly the rest, from wherever it goes on", async (as) => {
    for (let seq = 0; seq < all.length; seq += 2) {
      const reader = await start(scene.hub, { as, from: at(scene.origin, seq) });
      const rest = all.filter((event) => event.seq > seq && visibleTo(as)(event));
      expect(await reader.until(isLast)).toEqual(rest);
      reader.cut();
    }
  });

  test.each(KINDS)("shows of %j all that is for its reader, from wherever it goes on", async (...kinds) => {
    const wanted = (event: Event) => visibleTo("bob")(event) && (kinds as string[]).includes(event.kind);
    for (let seq = 0; seq < all.length; seq += 3) {
      const reader = await start(scene.hub, { as: "bob", from: at(scene.origin, seq), kinds });
      expect(await reader.until(isLast)).toEqual(all.filter((event) => event.seq > seq && wanted(event)));
      reader.cut();
    }
  });

  test("sends nothing of kinds that are not wanted, and is not behind for it", async () => {
    const { hub, workers } = scene;
    const reader = await start(hub, { as: "bob", kinds: ["deleted"] });
    const { id } = await workers.send("bob");
    await workers.delete(id);
    expect(await reader.nextPage()).toMatchObject({ events: [{ kind: "deleted", message: { id } }] });
  });

  test("waits at the head for what comes next", async () => {
    const { hub, workers } = scene;
    const reader = await start(hub, { as: "bob", from: await workers.head() });
    const coming = reader.until(() => true);
    const { id } = await workers.send("bob");
    expect(await coming).toMatchObject([{ kind: "new", message: { id } }]);
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

  test("a cursor of another log is told, with one to go on from", async () => {
    const { hub, workers } = scene;
    const { lost } = await start(hub, { as: "bob", from: ELSEWHERE });
    expect(lost).toEqual({ reason: "epoch", cursor: await workers.head() });
    const reader = await start(hub, { as: "bob", from: lost?.cursor });
    const { id } = await workers.send("bob");
    expect(await reader.until(() => true)).toMatchObject([{ kind: "new", message: { id } }]);
  });

  test("a cursor ahead of the log is told, one at its head is not", async () => {
    const { hub, workers } = scene;
    const head = await workers.head();
    for (const seq of [Number(head.split(".")[1]) + 1, 999_999_999_999_999]) {
      expect((await start(hub, { from: at(head, seq) })).lost).toEqual({ reason: "ahead", cursor: head });
    }
    expect((await start(hub, { from: head })).lost).toBeUndefined();
  });

  test("a run that sees other pools than before is told, until it comes with the cursor that it was given", async () => {
    const { hub, workers } = scene;
    const run = `run-${++runs}`;
    const before = await start(hub, { as: "member", run, roles: ["tester"] });
    await workers.send("bob");
    const moved = { as: "member", run, roles: ["writer"] };
    const told = { reason: "filter_changed", cursor: await workers.head() };
    for (let i = 0; i < 2; i++) expect((await start(hub, { ...moved, from: before.cursor })).lost).toEqual(told);
    const { id } = await workers.send("@writer");
    const reader = await start(hub, { ...moved, from: told.cursor });
    expect(reader.lost).toBeUndefined();
    expect(await reader.nextPage()).toMatchObject({ events: [{ kind: "new", message: { id } }] });
    for (const from of [reader.cursor, told.cursor])
      expect((await start(hub, { ...moved, from })).lost).toBeUndefined();
    expect((await start(hub, { ...moved, run: `${run}b`, from: before.cursor })).lost).toBeUndefined();
  });

  describe("after a restart", () => {
    let cold: Scene;
    let origin: string;
    let secret: Event;

    beforeAll(async () => {
      const { hub, workers } = scene;
      origin = await workers.head();
      const reader = await start(hub);
      const { id } = await workers.send("bob", "secret task", "secret context");
      secret = (await reader.nextPage()).events[0] as Event;
      await workers.delete(id);
      await workers.work(80, 60_000); // so much that it is replayed in many pages
      await workers.finish();
      await hub.close();
      cold = await startScene({ db: hub.db });
    });

    test("live and replayed are the same bytes, from memory and from disk", async () => {
      const reader = await start(cold.hub, { from: scene.origin });
      const bytes = JSON.stringify(await reader.until(isLast));
      expect(bytes).toBe(JSON.stringify(live.at(-1)));
      expect(bytes).toBe(JSON.stringify(all));
    });

    test("a deleted message that was told with its bodies is replayed without", async () => {
      expect(secret.message).toMatchObject({ task: "secret task", context: "secret context" });
      const { task, context, ...rest } = secret.message;
      const reader = await start(cold.hub, { from: origin });
      const replay = await reader.until(({ kind }) => kind === "deleted");
      expect(replay).toMatchObject([{ ...secret, message: { ...rest, erased: true } }, { message: { id: rest.id } }]);
      expect(JSON.stringify(replay)).not.toContain("secret");
    });

    test.each([1, 2, 5])("a replay that is cut off after every page %i shows everything once", async (k) => {
      const { events, cuts } = await readWithCuts(cold.hub, start, origin, () => k);
      expect(cuts).toBeGreaterThan(0);
      expect(events).toEqual((await cold.workers.log(origin)).slice(0, events.length));
    });

    test("also while more happens", async () => {
      const random = seededRandom();
      const from = cold.origin;
      const working = cold.workers.work(40, 20_000).then(() => cold.workers.finish());
      const { events } = await readWithCuts(cold.hub, start, from, () => 1 + random.int(3));
      await working;
      expect(events).toEqual(await cold.workers.log(from));
    });
  });
});

describe("a log that is not what it was", () => {
  const reasons = (hub: TestHub, from: string) =>
    Promise.all(CARRIERS.map(async ({ start }) => (await start(hub, { from })).lost?.reason));
  const onAll = (reason: string) => CARRIERS.map(() => reason);

  test("because its beginning was pruned: a cursor from which something is missing is lost, any other is not", async () => {
    const { hub, workers, origin } = await startScene();
    await workers.work(40);
    await workers.finish();
    const all = await workers.log(origin);
    expect(all.length, "too little to prune the beginning of").toBeGreaterThan(5);
    await hub.close();
    const db = new BetterSqlite(hub.db);
    db.exec("DELETE FROM coordination_log WHERE seq < 5");
    db.close();
    const pruned = await startHub({ db: hub.db });
    expect(await reasons(pruned, at(origin, 3))).toEqual(onAll("pruned"));
    for (const { start } of CARRIERS) {
      const reader = await start(pruned, { from: at(origin, 4) });
      expect(await reader.until(isLast)).toEqual(all.slice(4));
    }
  });

  test("because it was restored from a backup: every cursor of before is lost", async () => {
    const { hub, workers } = await startScene();
    await workers.send("bob");
    const copy = join(tempDir(), "copy.db");
    await hub.hub.backup(copy);
    const saved = await workers.head();
    await workers.send("bob");
    const newer = await workers.head();
    await hub.close();
    const restored = await startHub({ db: copy });
    for (const from of [saved, newer]) expect(await reasons(restored, from)).toEqual(onAll("epoch"));
  });

  test("because its file was rolled back by hand: every cursor of before is lost", async () => {
    const first = await startScene();
    await first.workers.send("bob");
    await first.hub.close();
    const copy = join(tempDir(), "copy.db");
    copyFileSync(first.hub.db, copy);
    const second = await startScene({ db: first.hub.db });
    await second.workers.send("bob");
    const cursor = await second.workers.head();
    await second.hub.close();
    copyFileSync(copy, first.hub.db);
    const third = await startScene({ db: first.hub.db });
    for (let i = 0; i < 3; i++) await third.workers.send("bob"); // the seq of the cursor is there again
    expect(await reasons(third.hub, cursor)).toEqual(onAll("epoch"));
  });
});

/** Reads to the end of a log through one reader after the other, each cut off after some pages. */
async function readWithCuts(hub: TestHub, start: Carrier["start"], from: string, pages: () => number) {
  const events: Event[] = [];
  const isOver = () => events.at(-1) !== undefined && isLast(events.at(-1) as Event);
  let [cursor, cuts] = [from, -1];
  while (!isOver()) {
    const reader: LogReader = await start(hub, { from: cursor, limit: 3 });
    for (let i = pages(); i > 0 && !isOver(); i--) events.push(...(await reader.nextPage()).events);
    cursor = reader.cursor;
    reader.cut();
    cuts++;
  }
  return { events, cuts };
}

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
