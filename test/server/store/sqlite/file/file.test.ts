/** The file that a hub makes and keeps: durable, private, readable by people, and safe from older hubs. */
import { existsSync, linkSync, readdirSync, readFileSync, statSync, symlinkSync, unlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { openDatabase } from "../../../../../server/store/sqlite/file/database.ts";
import { HubLock } from "../../../../../server/store/sqlite/file/lock.ts";
import { tempDir } from "../../../../support/tempDir.ts";
import { NOW, name } from "../../../core/support.ts";
import { inside, look, newFile, openStore, openThread } from "../files.ts";

describe("durability", () => {
  test("every commit is synced in full, and stays so after writing and on opening again", () => {
    const file = newFile();
    for (const life of ["first", "second"]) {
      const db = openDatabase(file, NOW);
      const level = () => db.pragma("synchronous", { simple: true });
      const before = level();
      db.exec("INSERT INTO coordination_meta VALUES ('x', 'y') ON CONFLICT DO UPDATE SET value = 'z'");
      expect([life, before, level(), db.pragma("journal_mode", { simple: true })]).toEqual([life, 2, 2, "wal"]);
      db.close();
    }
  });

  test("without being told, SQLite would not", () => {
    const file = newFile();
    openDatabase(file, NOW).close();
    const careless = inside(file, (db) => {
      db.exec("UPDATE coordination_meta SET value = value");
      return db.pragma("synchronous", { simple: true });
    });
    expect(careless).toBe(1);
  });
});

describe("privacy", () => {
  const modesIn = (folder: string) =>
    Object.fromEntries(
      readdirSync(folder).map((file) => [file, (statSync(join(folder, file)).mode & 0o777).toString(8)]),
    );

  test("nothing beside the database is readable by others", async () => {
    const file = newFile();
    const hub = await openStore(file);
    await hub.send({ to_claude: "worker" });
    expect(modesIn(dirname(file))).toEqual({
      "hub.db": "600",
      "hub.db-wal": "600",
      "hub.db-shm": "600",
      "hub.db.hub-lock": "600",
    });
  });

  test("nor a backup of it, nor a folder made for it", async () => {
    const folder = join(tempDir(), "made", "for", "it");
    const hub = await openStore(join(folder, "hub.db"));
    await hub.store.backup(join(folder, "copy.db"));
    expect(modesIn(folder)["copy.db"]).toBe("600");
    expect((statSync(folder).mode & 0o777).toString(8)).toBe("700");
  });
});

describe("a person at a shell", () => {
  test("finds the document's columns first, and can read them", async () => {
    const file = newFile();
    const hub = await openStore(file);
    const task = await hub.send({ to_claude: "worker", context: "which" });
    await hub.complete(await hub.claim(task, name("worker")), name("worker"), "42");
    const [row, ...more] = look(file, (db) =>
      db.prepare("SELECT * FROM coordination_messages LIMIT 10").all(),
    ) as object[];
    expect(more).toEqual([]);
    expect(Object.entries(row as object).slice(0, 11)).toEqual([
      ["id", task.id],
      ["from_claude", "boss"],
      ["to_claude", "worker"],
      ["task", "scrape"],
      ["context", "which"],
      ["type", "task"],
      ["status", "complete"],
      ["result", "42"],
      ["error", null],
      ["created_at", task.created_at],
      ["updated_at", task.created_at],
    ]);
    for (const [column, value] of Object.entries(row as object)) {
      if (column.endsWith("_at") && column !== "wake_at" && value !== null)
        expect(value).toMatch(/^2026-01-01T00:00:00.000Z$/);
    }
  });

  test("may write too: the hub notices and does not answer from memory", async () => {
    const file = newFile();
    const hub = await openStore(file);
    const task = await hub.send({ to_claude: "worker" });
    inside(file, (db) => db.prepare("UPDATE coordination_messages SET task = 'by hand' WHERE id = ?").run(task.id));
    expect(await hub.claim(task, name("worker"))).toMatchObject({ task: "by hand", status: "in_progress" });
  });
});

test("a deleted message leaves none of its text in any row", async () => {
  const file = newFile();
  const hub = await openStore(file);
  const worker = name("worker");
  const task = await hub.send({ to_claude: "worker", task: "s3cr3t", context: "s3cr3t", backoff_ms: 0 }, "k");
  await hub.change(await hub.claim(task, worker), { op: "fail", error: "s3cr3t", retryable: true }, worker);
  await hub.complete(await hub.claim(task, worker), worker, "s3cr3t");
  const rowsThatHoldIt = () =>
    look(file, (db) => {
      const tables = db.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").pluck().all() as string[];
      return tables.filter((table) => JSON.stringify(db.prepare(`SELECT * FROM ${table}`).all()).includes("s3cr3t"));
    });
  expect(rowsThatHoldIt()).toEqual(["coordination_messages", "coordination_bodies", "coordination_attempts"]);
  await hub.delete(task);
  expect(rowsThatHoldIt()).toEqual([]);
});

describe("the schema", () => {
  const ownVersion = (file: string) =>
    look(file, (db) => db.prepare("SELECT value FROM coordination_meta WHERE name = 'schema'").pluck().get());

  test("of a newer hub is refused with a sentence, and not touched", async () => {
    const file = newFile();
    await (await openStore(file)).close();
    const own = Number(ownVersion(file));
    inside(file, (db) => db.exec("UPDATE coordination_meta SET value = '999' WHERE name = 'schema'"));
    await expect(openStore(file)).rejects.toThrow(
      `the database has schema 999, this hub knows ${own}: start the newer hub that wrote it, or restore a backup`,
    );
    expect(ownVersion(file)).toBe("999");
  });

  test("is versioned in a table of the hub's own, not in the application's user_version", async () => {
    const file = newFile();
    await (await openStore(file)).close();
    expect(Number(ownVersion(file))).toBeGreaterThan(0);
    expect(look(file, (db) => db.pragma("user_version", { simple: true }))).toBe(0);
  });

  test("gives pages back: a new file vacuums by increments", async () => {
    const file = newFile();
    await (await openStore(file)).close();
    expect(look(file, (db) => db.pragma("auto_vacuum", { simple: true }))).toBe(2);
  });
});

test("a link to the database has the lock of the database", async () => {
  const file = newFile();
  const hub = await openStore(file);
  const link = join(tempDir(), "link.db");
  symlinkSync(file, link);
  await expect(openStore(link)).rejects.toThrow("another hub is using");
  await hub.close();
  await openStore(link);
});

test("a database with two names is not opened under either, until one is gone", async () => {
  const file = newFile();
  const hub = await openStore(file);
  const other = `${file}.other`;
  linkSync(file, other);
  await expect(openStore(other)).rejects.toThrow(/other has another name too \(a hard link\).*: remove the other one/);
  await hub.close();
  await expect(openStore(file)).rejects.toThrow("has another name too");
  unlinkSync(other);
  await openStore(file);
});

test("the lock remembers how far each log had come, and knows nothing of others", () => {
  const file = newFile();
  const lock = new HubLock(file);
  expect(lock.seen("a")).toBeUndefined();
  lock.note("a", 7);
  expect([lock.seen("a"), lock.seen("b")]).toEqual([7, undefined]);
  lock.release();
  const again = new HubLock(file);
  expect(again.seen("a")).toBe(7);
  again.release();
});

test.each([" ", "\n", "\r"])(
  "a name that ends in white space (%j) is refused: SQLite would open another file",
  async (end) => {
    const file = newFile();
    const hub = await openStore(file);
    await expect(openThread(file + end)).rejects.toThrow(
      `${JSON.stringify(file + end)} begins or ends with white space`,
    );
    const other = newFile();
    await (await openStore(other)).close();
    const before = readFileSync(other);
    await expect(hub.store.backup(other + end)).rejects.toThrow("begins or ends with white space");
    expect(readFileSync(other).equals(before)).toBe(true);
    expect([file + end, other + end].filter(existsSync)).toEqual([]);
  },
);
