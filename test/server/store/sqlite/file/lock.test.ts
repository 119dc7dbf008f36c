/** One hub a file. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { iso } from "../../../../../server/iso.ts";
import { BetterSqlite } from "../../../../../server/store/sqlite/betterSqlite.ts";
import { HubLock } from "../../../../../server/store/sqlite/file/lock.ts";
import { SqliteStore } from "../../../../../server/store/sqlite/sqliteStore.ts";
import { ManualClock } from "../../../../support/clock.ts";
import { defer } from "../../../../support/defer.ts";
import { repository } from "../../../../support/repository.ts";
import { requiresThat } from "../../../../support/requires.ts";
import { tempDir } from "../../../../support/tempDir.ts";
import { LEASE, MINUTE, NOW, name } from "../../../core/support.ts";
import { inside, newFile, openStore, openThread } from "../files.ts";

const HOLDER = `
  import { SqliteStore } from "${repository}dist/server/store/sqlite/sqliteStore.js";
  const store = new SqliteStore({ file: process.argv[2], lease: ${JSON.stringify(LEASE)} });
  await store.open(Date.now());
  process.stdout.write("open");
`;

function scriptOf(text: string): string {
  const script = join(tempDir(), "elsewhere.mjs");
  writeFileSync(script, text);
  return script;
}

/** What a process says that runs to its end. */
function elsewhere(text: string, file: string): string {
  const options = { encoding: "utf8", timeout: 10_000, killSignal: "SIGKILL" } as const;
  const { stdout, stderr } = spawnSync(process.execPath, [scriptOf(text), file], options);
  return stdout + stderr;
}

/** Another process that has the file open; killed when the test ends. */
async function holdElsewhere(file: string): Promise<ChildProcess> {
  const script = scriptOf(HOLDER);
  const child = spawn(process.execPath, [script, file], { stdio: ["ignore", "pipe", "inherit"] });
  defer(() => killed(child));
  await once(child.stdout as NodeJS.ReadableStream, "data");
  return child;
}

async function killed(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill("SIGKILL");
  await once(child, "exit");
}

/** Whether anybody reads the database in SQLite's sense: who opens it then is not alone with it, and leaves its log. */
const isLocked = (file: string) => readFileSync("/proc/locks", "utf8").includes(`:${statSync(file).ino} 1073741826 `);

const sentence = (file: string) => `another hub is using ${file}: stop it first, or start this one with another --db`;

test("a second hub in the same process is refused", async () => {
  const file = newFile();
  const first = await openThread(file);
  await expect(openThread(file)).rejects.toThrow(sentence(file));
  await first.send({ to_claude: "worker" });
  await first.close();
  await openThread(file);
});

test("one that was refused in the same process leaves the first its lock", async () => {
  const file = newFile();
  await openThread(file);
  await expect(openThread(file)).rejects.toThrow(sentence(file));
  expect(elsewhere(HOLDER, file)).toContain(sentence(file));
});

test("a second hub in another process is refused within two seconds; killing the first frees the file", async () => {
  const file = newFile();
  const holder = await holdElsewhere(file);
  const asked = performance.now();
  expect(() => new HubLock(file)).toThrow(sentence(file));
  expect(performance.now() - asked).toBeLessThan(2_000);
  await expect(openThread(file)).rejects.toThrow(sentence(file));
  await killed(holder);
  const hub = await openThread(file);
  expect(await hub.send({ to_claude: "worker" })).toMatchObject({ status: "pending" });
});

test("the application's own connections are not shut out", async () => {
  const file = newFile();
  const hub = await openThread(file);
  inside(file, (db) => db.exec("CREATE TABLE etf (symbol TEXT); INSERT INTO etf VALUES ('SPY')"));
  expect(await hub.send({ to_claude: "worker" })).toMatchObject({ status: "pending" });
  expect(inside(file, (db) => db.prepare("SELECT symbol FROM etf").pluck().all())).toEqual(["SPY"]);
});

describe("beside an application", () => {
  requiresThat(existsSync("/proc/locks"), "needs /proc/locks, as Linux has it");

  test("the application's own connection keeps its locks when a hub is opened beside it, and closed again", async () => {
    const file = newFile();
    await (await openThread(file)).close();
    const application = new BetterSqlite(file);
    defer(() => application.close());
    application.exec("CREATE TABLE etf (symbol TEXT)");
    const hub = await openThread(file);
    expect(isLocked(file)).toBe(true);
    await hub.close();
    expect(isLocked(file)).toBe(true);
  });
});

test("an application that is writing just then: unavailable, nothing changed, and available again afterwards", async () => {
  const file = newFile();
  const hub = await openThread(file);
  const before = await hub.list();
  const application = new BetterSqlite(file);
  application.exec("BEGIN IMMEDIATE");
  await expect(hub.send({ to_claude: "worker" })).rejects.toMatchObject({ code: "storage_unavailable" });
  application.close();
  expect(await hub.list()).toEqual(before);
  expect(await hub.send({ to_claude: "worker" })).toMatchObject({ seq: 1 });
});

test("what a clock that was set has moved is not moved again after another program was writing", async () => {
  const file = newFile();
  const clock = new ManualClock();
  const hub = await openStore(file, clock);
  const held = await hub.claim(await hub.send({ to_claude: "worker" }), name("worker"));
  clock.step(MINUTE);
  await hub.wake();
  const moved = await hub.get(held);
  expect(moved?.lease_until).toBe(iso(Date.parse(held.lease_until as string) + MINUTE));
  const application = new BetterSqlite(file);
  application.exec("BEGIN IMMEDIATE");
  await expect(hub.wake()).rejects.toMatchObject({ code: "storage_unavailable" });
  application.close();
  await hub.wake();
  expect(await hub.get(held)).toEqual(moved);
});

test("a lock file that is none is named", async () => {
  const file = newFile();
  writeFileSync(`${file}.hub-lock`, "not a lock, and far too long to be taken for an empty one".repeat(100));
  await expect(openThread(file)).rejects.toThrow(`${file}.hub-lock is not an SQLite database`);
});

test("what is durable is acknowledged, though the lock file cannot be written", async () => {
  const file = newFile();
  await (await openThread(file)).close();
  inside(`${file}.hub-lock`, (db) =>
    db.exec(
      "CREATE TRIGGER broken BEFORE UPDATE ON log WHEN NEW.seq > 1 BEGIN SELECT RAISE(ABORT, 'broken disk'); END",
    ),
  );
  const hub = await openThread(file);
  for (const seq of [1, 2, 3]) expect(await hub.send({ to_claude: "worker" })).toMatchObject({ seq });
  await hub.close();
  expect((await (await openThread(file)).list()).messages).toHaveLength(3);
});

test("a hub that is closed says so, at once and however often it is asked", async () => {
  const hub = await openThread(newFile());
  await hub.close();
  await hub.close();
  await expect(hub.send({ to_claude: "worker" })).rejects.toMatchObject({ code: "storage_unavailable" });
  await expect(hub.list()).rejects.toMatchObject({ code: "storage_unavailable" });
});

test("a hub that could not be opened says so, at once and however often it is asked", async () => {
  const file = newFile();
  await openThread(file);
  const second = new SqliteStore({ file, lease: LEASE });
  await expect(second.open(NOW)).rejects.toThrow(sentence(file));
  await expect(second.counts()).rejects.toMatchObject({ code: "storage_unavailable" });
  await second.close();
});
