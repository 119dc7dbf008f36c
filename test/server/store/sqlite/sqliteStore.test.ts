/** The conformance suite over a real file, through the database's own thread; and what becomes of a thread that ends. */
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { Worker } from "node:worker_threads";
import { describe, expect, test } from "vitest";
import { SqliteStore } from "../../../../server/store/sqlite/sqliteStore.ts";
import { defer } from "../../../support/defer.ts";
import { requiresThat } from "../../../support/requires.ts";
import { tempDir } from "../../../support/tempDir.ts";
import { storeConformance } from "../conformance.ts";
import { sending } from "../driver.ts";
import { inside, newFile, openThread } from "./files.ts";

storeConformance(
  "SqliteStore",
  (lease, file = join(tempDir(), "hub.db"), bounds) => new SqliteStore({ file, lease, bounds }),
);

/** A store whose thread can be ended from outside. */
async function openMortal(file: string) {
  let thread!: Worker;
  process.once("worker", (started) => {
    thread = started;
  });
  const hub = await openThread(file);
  return { hub, end: () => thread.terminate() };
}

const UNAVAILABLE = { code: "storage_unavailable" };

test("a thread that ends takes with it what waits; the next call starts another one on the same log", async () => {
  const { hub, end } = await openMortal(newFile());
  const kept = await hub.send({ to_claude: "worker" });
  const ended = end();
  await expect(hub.send({ to_claude: "worker" })).rejects.toMatchObject(UNAVAILABLE);
  await ended;
  expect(await hub.get(kept)).toMatchObject({ id: kept.id });
  expect((await hub.send({ to_claude: "worker" })).seq).toBe((kept.seq as number) + 1);
});

test("a thread that would go on with another log does not start, and a closed store starts none", async () => {
  const file = newFile();
  const { hub, end } = await openMortal(file);
  const kept = await hub.send({ to_claude: "worker" });
  await end();
  for (const part of ["", "-wal", "-shm"]) rmSync(file + part, { force: true });
  await expect(hub.get(kept)).rejects.toMatchObject(UNAVAILABLE);
  await hub.close();
  await expect(hub.get(kept)).rejects.toMatchObject({ ...UNAVAILABLE, message: "The hub's database is closed" });
});

test("a thread that ends is replaced while somebody reads the file", async () => {
  const file = newFile();
  const { hub, end } = await openMortal(file);
  const kept = await hub.send({ to_claude: "worker" });
  await inside(file, async (db) => {
    db.exec("BEGIN; SELECT * FROM coordination_messages");
    await hub.send({ to_claude: "worker" });
    await end();
    expect(await hub.get(kept)).toMatchObject({ id: kept.id });
  });
});

test("a thread that cannot start says why, and is not started again at once", async () => {
  const file = newFile();
  const { hub, end } = await openMortal(file);
  const kept = await hub.send({ to_claude: "worker" });
  await end();
  renameSync(file, `${file}.away`);
  mkdirSync(file);
  let started = 0;
  const count = () => started++;
  process.on("worker", count);
  defer(() => process.off("worker", count));
  const refusals = [];
  for (let i = 0; i < 5; i++) refusals.push(await hub.get(kept).catch((error) => error));
  for (const refusal of refusals)
    expect(refusal).toMatchObject({ ...UNAVAILABLE, message: expect.stringContaining(file) });
  expect(started).toBe(1);
});

test("a thread that ends before it is open is not started again at once", async () => {
  const { hub, end } = await openMortal(newFile());
  const kept = await hub.send({ to_claude: "worker" });
  await end();
  let started = 0;
  const stillborn = (thread: Worker) => {
    started++;
    void thread.terminate();
  };
  process.on("worker", stillborn);
  defer(() => process.off("worker", stillborn));
  for (let i = 0; i < 5; i++) await expect(hub.get(kept)).rejects.toMatchObject(UNAVAILABLE);
  expect(started).toBe(1);
});

test("the file stays the same one when the process goes to another directory", async () => {
  const [file, before] = [newFile(), process.cwd()];
  process.chdir(dirname(file));
  defer(() => process.chdir(before));
  const { hub, end } = await openMortal(basename(file));
  const kept = await hub.send({ to_claude: "worker" });
  process.chdir(before);
  const copy = newFile();
  await hub.store.backup(copy);
  await end();
  expect(await hub.get(kept)).toMatchObject({ id: kept.id });
});

test("a short list does not wait for long ones, and a long one for which nobody waits is not read", async () => {
  const hub = await openThread(newFile());
  await hub.commit(...Array.from({ length: 3_000 }, () => sending({ to_claude: "worker" })));
  const asked = { order: "asc", limit: 10, offset: 0 } as const;
  const ended: string[] = [];
  const list = async (name: string, filter: object, isWanted = () => true) => {
    const { messages } = await hub.store.list({ ...asked, ...filter }, hub.now, isWanted);
    ended.push(name);
    return messages.length;
  };
  const long = Array.from({ length: 5 }, () => list("long", { type: "chat", delivered: true }));
  const unwanted = list("unwanted", { type: "chat", delivered: true }, () => false);
  expect(await list("short", { to_claude: "worker", status: "pending" })).toBe(10);
  expect(ended).toEqual(["short"]);
  expect(await Promise.all([...long, unwanted])).toEqual([0, 0, 0, 0, 0, 0]);
});

test("a long list that is wanted no more lets go of its snapshot", async () => {
  const file = newFile();
  const hub = await openThread(file);
  await hub.commit(...Array.from({ length: 3_000 }, () => sending({ to_claude: "worker" })));
  let steps = 0;
  const asked = { order: "asc", limit: 10, offset: 0, type: "chat", delivered: true } as const;
  await hub.store.list(asked, hub.now, () => ++steps < 2);
  await hub.send({ to_claude: "worker" });
  const [emptied] = inside(file, (db) => db.pragma("wal_checkpoint(TRUNCATE)")) as { busy: number }[];
  expect([steps, emptied]).toMatchObject([2, { busy: 0 }]);
});

describe("in the order in which the system tells of them", () => {
  requiresThat(existsSync("/proc/self/task"), "needs /proc to count threads");

  test("what a thread had answered before it ended is so, although its end is noticed first", async () => {
    const file = newFile();
    const { hub, end } = await openMortal(file);
    const notes = () => readFileSync(`${file}.hub-lock`).toString("latin1");
    const [before, threads] = [notes(), threadsNow()];
    const sent = hub.send({ to_claude: "worker" });
    turnUntil(() => notes() !== before); // it notes how far the log has come once it has answered
    void end();
    turnUntil(() => threadsNow() < threads);
    expect(await sent).toMatchObject({ seq: 1 });
  });
});

/** Lets nothing else happen in this thread meanwhile. @throws Error when it takes too long. */
function turnUntil(isSo: () => boolean): void {
  const deadline = performance.now() + 10_000;
  while (!isSo()) if (performance.now() > deadline) throw new Error("it never came");
}

const threadsNow = () => readdirSync("/proc/self/task").length;
