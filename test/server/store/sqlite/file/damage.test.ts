/** Files that cannot be used: a sentence for a person, and never a fresh empty database in their place. */
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { checkWhole } from "../../../../../server/store/engine/templates/whole.ts";
import { BetterSqlite } from "../../../../../server/store/sqlite/betterSqlite.ts";
import { writeBackup } from "../../../../../server/store/sqlite/file/backup.ts";
import { SqliteHost } from "../../../../../server/store/sqlite/file/host.ts";
import { defer } from "../../../../support/defer.ts";
import { tempDir } from "../../../../support/tempDir.ts";
import { LEASE, name } from "../../../core/support.ts";
import { sending } from "../../driver.ts";
import { inside, newFile, openStore, openThread } from "../files.ts";

function copyOf(file: string): string {
  const copy = newFile();
  copyFileSync(file, copy);
  return copy;
}

describe("at the start", () => {
  test.each([
    ["a letter", "x", "is not an SQLite database"],
    ["a text", "not a database, and long enough to be read as a header\n".repeat(200), "is not an SQLite database"],
    [
      "a database whose header is damaged",
      "SQLite format 3\u0000".padEnd(8_192, "\u00ff"),
      "is not an SQLite database",
    ],
  ])("%s is refused by name, and stays as it is", async (_what, content, sentence) => {
    const file = newFile();
    writeFileSync(file, content);
    await expect(openThread(file)).rejects.toThrow(`${file} ${sentence}`);
    expect(readFileSync(file, "utf8")).toBe(content);
  });

  test("a damaged schema is refused by name, and stays as it is", async () => {
    const file = newFile();
    await (await openStore(file)).close();
    const damaged = readFileSync(file).fill(0xa5, 100, 4_096);
    writeFileSync(file, damaged);
    await expect(openStore(file)).rejects.toThrow(`${file} is damaged`);
    expect(readFileSync(file).equals(damaged)).toBe(true);
  });

  test("a database that lacks a table is refused, and let go of", async () => {
    const file = newFile();
    await (await openStore(file)).close();
    inside(file, (db) => db.exec("DROP TABLE coordination_keys"));
    await expect(openStore(file)).rejects.toThrow(
      `${file} is not as a hub leaves it (no such table: coordination_keys)`,
    );
    // only the last connection can end the write-ahead log
    expect(inside(file, (db) => db.pragma("journal_mode = DELETE", { simple: true }), { timeout: 0 })).toBe("delete");
  });

  test("a folder that cannot be made is named", async () => {
    const inTheWay = join(tempDir(), "file");
    writeFileSync(inTheWay, "");
    const file = join(inTheWay, "sub", "hub.db");
    await expect(openThread(file)).rejects.toThrow(`${file} cannot be opened and written`);
  });

  test("a folder in the place of the file is named", async () => {
    const folder = join(tempDir(), "hub.db");
    mkdirSync(folder);
    await expect(openStore(folder)).rejects.toThrow(`${folder} cannot be opened and written`);
  });
});

describe("while it runs", () => {
  /** A hub over many messages, the pages of which are overwritten on the disk and forgotten in memory. */
  async function damagedHub() {
    const file = newFile();
    const first = await openStore(file);
    for (let i = 0; i < 20; i++) {
      await first.commit(...Array.from({ length: 100 }, () => sending({ to_claude: "worker", task: "x".repeat(500) })));
    }
    const [some] = (await first.list({ limit: 1 })).messages;
    await first.close();
    const rootPage = inside(file, (db) =>
      db.prepare("SELECT rootpage FROM sqlite_master WHERE name = 'coordination_messages_claimable'").pluck().get(),
    ) as number;
    const hub = await openStore(file);
    const pages = readFileSync(file);
    pages.fill(0xa5, (rootPage - 1) * 4096, rootPage * 4096);
    writeFileSync(file, pages);
    return { hub, file, some };
  }

  test("damage that is met is said to be there, again and again, and nothing is acknowledged", async () => {
    const { hub } = await damagedHub();
    for (let i = 0; i < 3; i++) {
      await expect(hub.claimNext(name("worker"))).rejects.toMatchObject({ code: "storage_unavailable" });
    }
    await expect(hub.commit({ op: "probe" })).rejects.toMatchObject({ code: "storage_unavailable" });
  });

  test("a hub that is started on it anew finds it as it is, not empty", async () => {
    const { hub, file } = await damagedHub();
    await expect(hub.claimNext(name("worker"))).rejects.toMatchObject({ code: "storage_unavailable" });
    await hub.close();
    const count = inside(file, (db) => db.prepare("SELECT count(*) FROM coordination_log").pluck().get());
    expect(count).toBe(2_000);
  });

  test("a read that meets it says so as well", async () => {
    const { hub, file } = await damagedHub();
    const pages = readFileSync(file);
    pages.fill(0xa5, 4096);
    writeFileSync(file, pages);
    await expect(hub.all()).rejects.toMatchObject({ code: "storage_unavailable" });
    await expect(hub.log(null)).rejects.toMatchObject({ code: "storage_unavailable" });
    await expect(hub.get({ id: "x" })).rejects.toMatchObject({ code: "storage_unavailable" });
  });

  test("nothing more is acknowledged once a read has met it", async () => {
    const { hub, file } = await damagedHub();
    const leaf = inside(file, (db) =>
      db
        .prepare("SELECT min(pageno) FROM dbstat WHERE name = 'coordination_messages' AND pagetype = 'leaf'")
        .pluck()
        .get(),
    ) as number;
    const pages = readFileSync(file);
    pages.fill(0xa5, (leaf - 1) * 4096, leaf * 4096);
    writeFileSync(file, pages);
    await hub.commit({ op: "probe" });
    await expect(hub.all()).rejects.toMatchObject({ code: "storage_unavailable" });
    await expect(hub.commit({ op: "probe" })).rejects.toThrow("it is damaged, restore a backup");
  });

  const REPLACED =
    "its file, or the write-ahead log beside it, was removed or replaced while the hub was using it: restart the hub";
  const parts = (file: string) => [file, `${file}-wal`, `${file}-shm`] as const;

  /** As the README has a backup restored, but over a hub that is still there. */
  function restore(backup: string, file: string): void {
    const [, wal, index] = parts(file);
    rmSync(wal);
    rmSync(index);
    copyFileSync(backup, file);
  }

  const TAKEN: [what: string, act: (file: string, backup: string) => void][] = [
    ["the file is removed", (file) => rmSync(file)],
    ["the file is replaced by another", (file) => renameSync(copyOf(file), file)],
    ["the folder has another name", (file) => renameSync(dirname(file), join(tempDir(), "moved"))],
    ["a backup is copied over the file", (file, backup) => copyFileSync(backup, file)],
    ["a backup is restored", (file, backup) => restore(backup, file)],
    ["the file is cut off", (file) => truncateSync(file)],
    ["the write-ahead log is removed", (file) => rmSync(parts(file)[1])],
    ["the write-ahead log is replaced", (file) => renameSync(copyOf(parts(file)[1]), parts(file)[1])],
    ["all but the file is removed, and made anew by another program", anotherProgram],
  ];

  function anotherProgram(file: string): void {
    const [, wal, index] = parts(file);
    rmSync(wal);
    rmSync(index);
    for (const part of [wal, index]) writeFileSync(part, "");
  }

  /** A hub that has done something since its backup. */
  async function hubWithBackup() {
    const file = newFile();
    const hub = await openStore(file);
    await hub.send({ to_claude: "worker" });
    const backup = newFile();
    const source = new BetterSqlite(file, { readonly: true });
    await writeBackup(source, backup);
    source.close();
    await hub.send({ to_claude: "worker" });
    return { hub, file, backup };
  }

  const contentOf = (file: string) => existsSync(file) && readFileSync(file);

  test.each(TAKEN)("%s: nothing more is acknowledged, and what is there now stays as it is", async (_what, act) => {
    const { hub, file, backup } = await hubWithBackup();
    act(file, backup);
    const before = contentOf(file);
    for (let i = 0; i < 2; i++) {
      await expect(hub.send({ to_claude: "worker" })).rejects.toThrow(REPLACED);
      await expect(hub.all()).rejects.toMatchObject({ code: "storage_unavailable" });
    }
    expect(contentOf(file)).toEqual(before);
    await hub.close();
    expect(contentOf(file)).toEqual(before);
  });

  test.each(TAKEN)("%s, just before the hub closes: what is there now stays as it is", async (_what, act) => {
    const { hub, file, backup } = await hubWithBackup();
    act(file, backup);
    const before = contentOf(file);
    await hub.close();
    expect(contentOf(file)).toEqual(before);
  });

  test("a backup is copied over the file while it is written to: no later batch is acknowledged", async () => {
    const { backup } = await hubWithBackup();
    const file = newFile();
    const options = { file, lease: LEASE, openedAt: 0 };
    const host = new SqliteHost(options, checkWhole);
    defer(() => host.close());
    const at = { now: 0, awake: 0 };
    host.commit([sending({ to_claude: "worker" })], at);
    copyFileSync(backup, file);
    host.noteProgress();
    expect(() => host.commit([sending({ to_claude: "worker" })], at)).toThrow(REPLACED);
  });

  test.skipIf(!existsSync("/proc/self/fd"))("a hub that has closed has nothing open", async () => {
    const { hub, file } = await hubWithBackup();
    const isOpen = () => readdirSync("/proc/self/fd").some((fd) => linkOf(`/proc/self/fd/${fd}`).startsWith(file));
    expect(isOpen()).toBe(true);
    await hub.close();
    expect(isOpen()).toBe(false);
  });

  /** Where a link leads, unless it is gone. */
  function linkOf(path: string): string {
    try {
      return readlinkSync(path);
    } catch {
      return "";
    }
  }

  test("a long list that meets damage lets go of its snapshot", async () => {
    const file = newFile();
    const hub = await openStore(file);
    await hub.commit(...Array.from({ length: 1_500 }, () => sending({ to_claude: "worker", thread_id: "one" })));
    inside(file, (db) =>
      db.exec(
        "UPDATE coordination_messages SET progress = '{' WHERE rowid = (SELECT min(rowid) FROM coordination_messages)",
      ),
    );
    await expect(hub.list({ thread_id: "one", order: "desc", offset: 1_490, limit: 50 })).rejects.toThrow("JSON");
    await hub.send({ to_claude: "worker" });
    expect(inside(file, (db) => db.pragma("wal_checkpoint(TRUNCATE)"))).toMatchObject([{ busy: 0 }]);
  });

  test("another program that writes rows, moves all into the file and makes files beside it is not in the way", async () => {
    const { hub, file } = await hubWithBackup();
    writeFileSync(`${file}.note`, "");
    inside(file, (db) => {
      db.exec("UPDATE coordination_messages SET context = 'by hand'");
      db.pragma("wal_checkpoint(TRUNCATE)");
    });
    await hub.send({ to_claude: "worker" });
    expect((await hub.all()).map(({ context }) => context)).toEqual(["by hand", "by hand", undefined]);
  });

  test.each([
    ["the first one", false],
    ["one after others", true],
  ])("an I/O error fails one list, %s, and not the next", async (_which, hasListed) => {
    const file = newFile();
    const hub = await openStore(file);
    await hub.commit(...Array.from({ length: 1_500 }, () => sending({ to_claude: "worker" })));
    const long = () => hub.list({ type: "chat" }); // looks at more than one step's rows, on the connection for that
    if (hasListed) await long();
    await hub.send({ to_claude: "worker", type: "chat" });
    const wal = readFileSync(`${file}-wal`);
    truncateSync(`${file}-wal`);
    await expect(long()).rejects.toMatchObject({ code: "storage_unavailable" });
    writeFileSync(`${file}-wal`, wal);
    expect((await long()).messages).toHaveLength(1);
  });
});
