/**
 * The system's own clock, set while a hub runs; and a hub that does not run for a while, because somebody stopped it or
 * closed the lid. Workers lose nothing by it, and whoever is gone holds nothing for longer.
 */
import { execFileSync } from "node:child_process";
import { renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { http } from "../support/http.ts";
import { HubProcess } from "../support/processes.ts";
import { RawSocket } from "../support/rawSocket.ts";
import { requires } from "../support/requires.ts";
import { tempDir } from "../support/tempDir.ts";
import { eventually } from "./support/eventually.ts";

const GRACE_MS = 5_000;
const HOUR = 3_600_000;

/** A hub, someone who sends, and a worker who holds a task. */
async function start(graceMs: number, env: Record<string, string> = {}) {
  const hub = await HubProcess.start({ env, args: ["--lease-grace-ms", `${graceMs}`] });
  const ada = await RawSocket.greet(hub.wsUrl, { claude_id: "ada" });
  const send = async (fields: object = {}) =>
    (await ada.call("send", { to_claude: "bob", task: "t", backoff_ms: 0, ...fields })).message;
  const hold = async (run: string, fields: object = {}) => {
    const task = await send(fields);
    const worker = await RawSocket.greet(hub.wsUrl, { claude_id: "bob", run });
    await worker.call("claim", { id: task.id });
    return { ...task, worker };
  };
  /** A task whose holder has gone, so that its lease ends by itself. */
  const lose = async (run: string) => {
    const task = await hold(run);
    const connections = async () => (await ada.call("presence", { claude_id: "bob" })).instances[0]?.connections.length;
    const before = (await connections()) as number;
    task.worker.ws.terminate();
    await eventually("the hub has noticed", async () => ((await connections()) as number) < before);
    return task;
  };
  return { hub, ada, send, hold, lose };
}

type Scene = Awaited<ReturnType<typeof start>>;

/** A task that is claimed over REST without a run. */
async function detached({ hub, send }: Scene) {
  const task = await send();
  await http(`${hub.url}/message/${task.id}`, { method: "PUT", body: { status: "in_progress" } });
  return task;
}

describe("the system's clock", () => {
  const faketime = requires("faketime");

  /** A clock that is as far off as `set` says. */
  function fakeClock() {
    const file = join(tempDir(), "clock");
    const set = (offset: string) => {
      writeFileSync(`${file}.new`, offset);
      renameSync(`${file}.new`, file);
    };
    set("+0");
    const env = {
      LD_PRELOAD: execFileSync(faketime, ["-f", "+0", "printenv", "LD_PRELOAD"], { encoding: "utf8" }).trim(),
      FAKETIME_TIMESTAMP_FILE: file,
      FAKETIME_NO_CACHE: "1",
      FAKETIME_DONT_FAKE_MONOTONIC: "1",
    };
    return { env, set };
  }

  /** A hub with such a clock. What the library shares by name and leaves behind when its process ends goes at once. */
  async function startFaked(graceMs: number, env: Record<string, string>) {
    const scene = await start(graceMs, env);
    for (const name of ["faketime_shm", "sem.faketime_sem"])
      rmSync(`/dev/shm/${name}_${scene.hub.pid}`, { force: true });
    return scene;
  }

  /** Whatever is told of from now on, the held tasks stay what they are. */
  const expectHeld = async ({ ada }: Scene, ids: string[]) => {
    for (const id of ids) expect(await ada.call("get", { id })).toMatchObject({ status: "in_progress", attempt: 1 });
    const { instances } = await ada.call("presence", { claude_id: "bob" });
    expect(instances).toMatchObject([{ state: "online" }]);
  };

  test("put forward and back, an hour and a day", async () => {
    const { env, set } = fakeClock();
    const scene = await startFaked(1_000, env);
    const { ada, send, hold, lose } = scene;
    const held = [await hold("r1"), await hold("r2", { timeout_ms: 10 * 60_000 }), await detached(scene)];
    const ids = held.map(({ id }) => id);
    const inAnHour = await send({ not_before: new Date(Date.now() + HOUR - 60_000).toISOString() });
    const inADay = await send({ not_before: new Date(Date.now() + 24 * HOUR - 60_000).toISOString() });

    for (const [offset, due] of [
      ["+1h", inAnHour.id],
      ["+1d", inADay.id],
    ] as const) {
      set(offset);
      await ada.event("ready", due); // so the hub has judged by the new time
      await expectHeld(scene, ids);
    }
    for (const offset of ["-1h", "-1d"]) {
      const lost = await lose(`r${offset}`);
      set(offset);
      await ada.event("requeued", lost.id); // after its second, not after a day
      await expectHeld(scene, ids);
    }
  });

  test("put forward an hour in the sleep of the machine: who was away comes back to its task", async () => {
    const { env, set } = fakeClock();
    const scene = await startFaked(GRACE_MS, env);
    const { hub, send, lose, ada } = scene;
    const [away, free] = [await lose("r1"), await detached(scene)];
    const later = await send({ not_before: new Date(Date.now() + HOUR / 2).toISOString() });
    process.kill(hub.pid, "SIGSTOP");
    set("+1h");
    process.kill(hub.pid, "SIGCONT");
    await ada.event("ready", later.id);
    const back = await RawSocket.greet(hub.wsUrl, { claude_id: "bob", run: "r1" });
    await expectHeld(scene, [away.id, free.id]);
    expect(await back.call("complete", { id: away.id, attempt: 1 })).toMatchObject({ status: "complete" });
  });
});

test("a hub that is stopped for longer than the grace takes nothing from those who come back afterwards", async () => {
  const { hub, ada, hold, lose } = await start(GRACE_MS);
  const [held, away] = [await hold("r1"), await lose("r2")];
  process.kill(hub.pid, "SIGSTOP");
  await setTimeout(GRACE_MS + 500); // nothing tells of time that goes by
  process.kill(hub.pid, "SIGCONT");
  const back = await RawSocket.greet(hub.wsUrl, { claude_id: "bob", run: "r2" });
  expect(await back.call("complete", { id: away.id, attempt: 1 })).toMatchObject({ status: "complete" });
  expect(await held.worker.call("complete", { id: held.id, attempt: 1 })).toMatchObject({ status: "complete" });
  expect(ada.events.map(({ kind }) => kind)).not.toContain("requeued");
});
