/** Online backups: whole, verified, private, and another incarnation of the log for whoever opens one. */
import { once } from "node:events";
import { copyFileSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { tempDir } from "../../../../support/tempDir.ts";
import { name } from "../../../core/support.ts";
import { sending } from "../../driver.ts";
import { look, newFile, openStore, openThread } from "../files.ts";

test("a copy taken while writes go on opens, is sound, and holds all that was acknowledged before it began", async () => {
  const hub = await openThread(newFile());
  const copy = newFile();
  const acknowledged = new Set<string>();
  const send = async () => {
    for (const outcome of (await hub.commit(...Array.from({ length: 50 }, () => sending({ to_claude: "worker" }))))
      .outcomes) {
      if (outcome.ok) acknowledged.add(JSON.parse(outcome.json as string).id);
    }
  };
  for (let i = 0; i < 10; i++) await send();
  const before = [...acknowledged];
  let written = false;
  const backup = hub.store.backup(copy).then(() => {
    written = true;
  });
  while (!written) await send();
  await backup;
  await send();
  expect(look(copy, (db) => db.pragma("integrity_check", { simple: true }))).toBe("ok");
  const restored = await openStore(copy);
  const held = new Set((await restored.all()).map(({ id }) => id));
  expect(before.filter((id) => !held.has(id))).toEqual([]);
  expect(acknowledged.size).toBeGreaterThan(before.length);
  expect(await restored.store.counts()).toMatchObject({ pending: held.size });
  expect((await restored.log(null)).entries.map(({ id }) => id).sort()).toEqual([...held].sort());
  expect(await restored.claimNext(name("worker"))).toMatchObject({ id: before[0] });
});

test("it is written on a thread of its own, which no commit waits for, and the store closes after it", async () => {
  const hub = await openThread(newFile());
  await hub.send({ to_claude: "worker" });
  const copy = newFile();
  const started = once(process, "worker");
  const backup = hub.store.backup(copy).then(() => "written");
  await started;
  await hub.close();
  expect(await Promise.race([backup, "under way"])).toBe("written");
  expect(await (await openStore(copy)).all()).toHaveLength(1);
});

test("it is one file, without anything beside it", async () => {
  const hub = await openStore(newFile());
  await hub.send({ to_claude: "worker" });
  const copy = newFile();
  await hub.store.backup(copy);
  expect(["", "-wal", "-shm", "-journal", ".hub-lock"].filter((suffix) => existsSync(copy + suffix))).toEqual([""]);
});

test("the first hub on it draws a new epoch, and the next ones keep that", async () => {
  const hub = await openStore(newFile());
  await hub.send({ to_claude: "worker" });
  const copy = newFile();
  await hub.store.backup(copy);
  const restored = await openStore(copy);
  await restored.close();
  const again = await openStore(copy);
  expect(restored.opened.position.head).toBe(1);
  expect(restored.opened.position.epoch).not.toBe(hub.opened.position.epoch);
  expect(again.opened.position.epoch).toBe(restored.opened.position.epoch);
});

test("put back in the place of the original, it is another epoch too, though the lock file knows the first", async () => {
  const file = newFile();
  const hub = await openStore(file);
  await hub.send({ to_claude: "worker" });
  const { epoch } = hub.opened.position;
  await hub.close();
  const writer = await openStore(file);
  const copy = join(dirname(file), "copy.db");
  await writer.store.backup(copy);
  await writer.close();
  renameSync(copy, file);
  expect((await openStore(file)).opened.position.epoch).not.toBe(epoch);
});

describe("where it cannot be written", () => {
  test("an existing file is refused and not touched", async () => {
    const hub = await openStore(newFile());
    const file = join(tempDir(), "mine.txt");
    writeFileSync(file, "mine");
    await expect(hub.store.backup(file)).rejects.toMatchObject({ code: "invalid_params", details: { field: "file" } });
    await expect(hub.store.backup(file)).rejects.toThrow(`${file} exists already: name a new file`);
    expect(readFileSync(file, "utf8")).toBe("mine");
  });

  test("a folder that is not there is named, and nothing is left behind", async () => {
    const hub = await openThread(newFile());
    const file = join(tempDir(), "nowhere", "copy.db");
    await expect(hub.store.backup(file)).rejects.toMatchObject({ code: "invalid_params", details: { field: "file" } });
    expect(existsSync(dirname(file))).toBe(false);
    expect(await hub.send({ to_claude: "worker" })).toMatchObject({ status: "pending" });
  });

  test("a folder in its place", async () => {
    const hub = await openStore(newFile());
    const folder = join(tempDir(), "folder.db");
    mkdirSync(folder);
    await expect(hub.store.backup(folder)).rejects.toThrow("exists already");
  });
});

test("why it could not be written is an error like any other", async () => {
  const file = newFile();
  const hub = await openThread(file);
  await hub.send({ to_claude: "worker" });
  renameSync(file, `${file}.away`);
  const failure = await hub.store.backup(newFile()).catch((error) => error);
  renameSync(`${file}.away`, file);
  expect(failure).toBeInstanceOf(Error);
  expect(failure.message).toBe("unable to open database file");
});

test("one that is copied over the file of a hub that was killed is not mixed with what that one left in its log", async () => {
  const file = newFile();
  const hub = await openStore(file);
  const { id } = await hub.send({ to_claude: "worker" });
  const backup = newFile();
  await hub.store.backup(backup);
  await hub.send({ to_claude: "worker" });
  const killed = newFile();
  for (const suffix of ["", "-wal"]) copyFileSync(file + suffix, killed + suffix);
  copyFileSync(backup, killed);
  const log = readFileSync(`${killed}-wal`);
  await expect(openThread(killed)).rejects.toThrow(`remove ${killed}-wal and ${killed}-shm to go on with ${killed}`);
  expect(readFileSync(killed).equals(readFileSync(backup))).toBe(true);
  expect(readFileSync(`${killed}-wal`).equals(log)).toBe(true);
  rmSync(`${killed}-wal`);
  expect(await (await openThread(killed)).all()).toMatchObject([{ id }]);
});

test("what a hub that was killed left in its log is taken up by the next", async () => {
  const file = newFile();
  const hub = await openStore(file);
  await hub.send({ to_claude: "worker" });
  const killed = newFile();
  for (const suffix of ["", "-wal"]) copyFileSync(file + suffix, killed + suffix);
  expect(await (await openThread(killed)).all()).toHaveLength(1);
});
