import { join } from "node:path";
import { expect, it, vi } from "vitest";
import { startHub } from "../../support/hub.ts";
import { tempDir } from "../../support/tempDir.ts";
import { CoordProcess, run, runInside, shell } from "./coord.ts";

it("coord hub runs the hub, passes options and signals on, and ends as it does", async () => {
  const db = join(tempDir(), "hub.db");
  const hub = new CoordProcess(["hub", "--port", "0", "--db", db]);
  await hub.prints(/data +\S+hub\.db\n/);
  const [, url] = /listening +(\S+)/.exec(hub.stdout) as unknown as [string, string];
  expect((await runInside(["stats"], { url })).code).toBe(0);
  const second = await run(["hub", "--port", "0", "--db", db]);
  expect([second.code, second.stderr]).toEqual([1, expect.stringMatching(/another hub|in use/i)]);
  expect(await hub.end("SIGTERM")).toBe(0);
});

it("coord hub refuses a slip with the nearest name, and has the hub's own help", async () => {
  const [slip, help] = await Promise.all([run(["hub", "--porr", "0"]), run(["hub", "--help"])]);
  expect([slip.code, slip.stderr]).toEqual([2, expect.stringContaining("Did you mean --port?")]);
  expect([help.code, help.stdout]).toEqual([0, expect.stringContaining("--lease-grace-ms")]);
});

it("coord hub ends in good order on Ctrl-C", async () => {
  const hub = new CoordProcess(["hub", "--port", "0", "--db", join(tempDir(), "hub.db")]);
  await hub.prints(/listening/);
  expect(await hub.end("SIGINT")).toBe(0);
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
