import { copyFileSync, existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it, vi } from "vitest";
import { startHub } from "../../support/hub.ts";
import { HubProcess } from "../../support/processes.ts";
import { tempDir } from "../../support/tempDir.ts";
import { CoordInside, CoordProcess, run, runInside, shell } from "./coord.ts";

it("coord hub runs the hub, passes options and signals on, and ends as it does", async () => {
  const db = join(tempDir(), "hub.db");
  const hub = new CoordProcess(["hub", "--port", "0", "--db", db]);
  await hub.prints(/data +\S+hub\.db \(a new database\)\n/);
  const [, url] = /listening +(\S+)/.exec(hub.stdout) as unknown as [string, string];
  expect((await runInside(["stats"], { url })).code).toBe(0);
  const second = await run(["hub", "--port", "0", "--db", db]);
  expect([second.code, second.stderr]).toEqual([1, expect.stringMatching(/another hub|in use/i)]);
  expect(await hub.end("SIGTERM")).toBe(0);
  const again = new CoordProcess(["hub", "--port", "0", "--db", db]);
  await again.prints(/data +\S+hub\.db\n/);
  expect(await again.end("SIGTERM")).toBe(0);
});

it("coord hub refuses a slip with the nearest name, and has the hub's own help", async () => {
  const [slip, help] = await Promise.all([run(["hub", "--porr", "0"]), run(["hub", "--help"])]);
  expect([slip.code, slip.stderr]).toEqual([2, expect.stringContaining("Did you mean --port?")]);
  expect([help.code, help.stdout]).toEqual([0, expect.stringContaining("--lease-grace-ms")]);
  const options = (text: string) => text.slice(text.indexOf("\nGlobal Options:")).match(/^ {2}--?\w+/gm);
  expect(options(help.stdout)).toEqual(["--as", "--url", "--json", "-V"].map((name) => `  ${name}`));
});

it("coord hub never suggests to let everybody in", async () => {
  const [token, two, help] = await Promise.all([
    run(["hub", "--token", "x"]),
    run(["hub", "--hosen"]),
    run(["hub", "--help"]),
  ]);
  expect([token.code, token.stderr]).toEqual([2, "coordination-hub: unknown option '--token'\n"]);
  expect(two.stderr).toBe("coordination-hub: unknown option '--hosen' (Did you mean --host?)\n");
  expect(help.stdout).toMatch(/^ {2}--open /m);
});

it.each([
  ["before the command", ["--json", "hub"]],
  ["after it", ["hub", "--json"]],
])("--json %s: a program reads where the hub listens and where the data is", async (_, words) => {
  const db = join(tempDir(), "hub.db");
  const hub = new CoordProcess([...words, "--port", "0", "--db", db]);
  await hub.prints(/\n/);
  expect(hub.items).toEqual([
    { url: expect.stringMatching(/^http:\/\/127.0.0.1:\d+\/api\/coord$/), db, pid: expect.any(Number) },
  ]);
  expect((await runInside(["stats"], { url: hub.items[0].url })).code).toBe(0);
  process.kill(hub.items[0].pid, "SIGTERM");
  expect(await hub.ended).toBe(0);
});

it("--json: a program reads why the hub does not start", async () => {
  const inTheWay = join(tempDir(), "hub.db");
  mkdirSync(inTheWay);
  const [slip, folder] = await Promise.all([
    run(["hub", "--json", "--porr"]),
    run(["hub", "--json", "--db", inTheWay]),
  ]);
  expect([slip.code, slip.stdout, JSON.parse(slip.stderr)]).toEqual([
    2,
    "",
    { error: "unknown option '--porr' (Did you mean --port?)", code: "usage" },
  ]);
  expect([folder.code, JSON.parse(folder.stderr)]).toMatchObject([1, { code: "failed" }]);
});

it("coord hub ends in good order on Ctrl-C", async () => {
  const hub = new CoordProcess(["hub", "--port", "0", "--db", join(tempDir(), "hub.db")]);
  await hub.prints(/listening/);
  expect(await hub.end("SIGINT")).toBe(0);
});

it.each(["SIGINT", "SIGTERM"] as const)("coord hub ends with 0 on %s, too, while the hub starts", async (signal) => {
  const db = join(tempDir(), "hub.db");
  expect(await new CoordInside(["hub", "--port", "0", "--db", db]).end(signal)).toBe(0);
});

it("coord hub takes the hub with it when it is killed", async () => {
  const db = join(tempDir(), "hub.db");
  const hub = new CoordProcess(["hub", "--port", "0", "--db", db]);
  await hub.prints(/listening/);
  hub.child.kill("SIGKILL");
  const { url } = await vi.waitFor(() => startHub({ db }), { timeout: 10_000 }); // as soon as the file is free
  expect((await runInside(["stats"], { url })).code).toBe(0);
});

it("coord backup copies the database, with and without a hub, and never over a file", async () => {
  const hub = await startHub();
  const id = (await shell(hub.url, "ada")("send", "bob", "keep me")).stdout.trim();
  const files = ["during.db", "after.db"].map((name) => join(tempDir(), name)) as [string, string];
  const backup = (file: string) => run(["backup", file], { env: { COORDINATION_DB: hub.db } });
  expect((await backup(files[0])).code).toBe(0);
  await hub.close();
  expect((await backup(files[1])).code).toBe(0);
  expect(await backup(files[1])).toMatchObject({
    code: 1,
    stderr: `error: ${files[1]} exists already: name a new file\n`,
  });
  for (const db of files) {
    const { url } = await startHub({ db });
    expect((await runInside(["get", id, "--json"], { url })).json.task).toBe("keep me");
  }
});

it("coord backup says what is no database", async () => {
  const dir = tempDir();
  const [db, file] = [join(dir, "notes.db"), join(dir, "copy.db")];
  writeFileSync(db, "these are notes, and no database\n".repeat(1_000));
  expect(await run(["backup", file, "--db", db], {})).toMatchObject({
    code: 1,
    stderr: `error: ${db} is not an SQLite database: name another file with --db\n`,
  });
  expect(existsSync(file)).toBe(false);
});

it("coord backup does not copy one database when the hub of another is named", async () => {
  const { url } = await startHub();
  const file = join(tempDir(), "copy.db");
  expect(await runInside(["backup", file, "--url", url])).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/^error: backup asks no hub, whatever its --url: .*coord backup --help/),
  });
  expect(existsSync(file)).toBe(false);
});

it("a backup takes the place of the database as its help says", async () => {
  const help = (await runInside(["backup", "--help"])).stdout.replace(/\s+/g, " ");
  expect(help).toContain("stop the hub, remove DB-wal and DB-shm if they are there, copy FILE over DB, start the hub");
  const hub = await HubProcess.start();
  const ada = shell(hub.url, "ada");
  const kept = (await ada("send", "bob", "before the copy")).stdout.trim();
  const file = join(tempDir(), "copy.db");
  await ada("backup", file, "--db", hub.db);
  const lost = (await ada("send", "bob", "after it")).stdout.trim();
  await hub.kill();
  for (const end of ["-wal", "-shm"]) rmSync(`${hub.db}${end}`, { force: true });
  copyFileSync(file, hub.db);
  await hub.restart();
  expect((await ada("get", kept, "--json")).json.task).toBe("before the copy");
  expect((await ada("get", lost)).stderr).toContain("Message not found");
});
