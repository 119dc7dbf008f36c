/** The means of all other tests, tried once on a real hub. */
import { existsSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { http } from "./http.ts";
import { startHub } from "./hub.ts";
import { HubProcess } from "./processes.ts";
import { FaultProxy } from "./proxy.ts";
import { seededRandom } from "./random.ts";
import { RawSocket } from "./rawSocket.ts";
import { requires } from "./requires.ts";
import { straceHub, unsyncedBefore } from "./strace.ts";
import { tempDir } from "./tempDir.ts";

const task = { from_claude: "a", to_claude: "b", task: "scrape" };

test("a hub in this process: REST and a socket", async () => {
  const hub = await startHub();
  const watcher = await RawSocket.greet(hub.wsUrl, { claude_id: "b" });
  const { status, body } = await http(`${hub.url}/message`, { method: "POST", body: task });
  expect(status).toBe(201);
  const event = await watcher.event("new", body.data.id);
  expect(event.message.task).toBe("scrape");
  const claimed = await watcher.call("claim", { id: body.data.id });
  expect(claimed.status).toBe("in_progress");
  await expect(watcher.call("get", { id: "nope" })).rejects.toMatchObject({ code: "not_found" });
  watcher.sendText("{");
  expect((await watcher.answer(null)).error?.data?.code).toBe("bad_json");
  expect(hub.logged).toEqual([]);
  expect(await watcher.close()).toMatchObject({ code: 1000 });
});

test("a hub process: killed, it comes back with what it acknowledged", async () => {
  const hub = await HubProcess.start();
  const { body } = await http(`${hub.url}/message`, { method: "POST", body: task });
  expect(await hub.kill()).toEqual({ code: null, signal: "SIGKILL" });
  await expect(http(hub.url)).rejects.toThrow("ECONNREFUSED");
  await hub.restart();
  expect((await http(`${hub.url}/message/${body.data.id}`)).body).toEqual({ success: true, data: body.data });
  expect(await hub.stop()).toEqual({ code: 0, signal: null });
  expect(hub.output).toContain(hub.db);
});

test("a hub process that cannot start ends and says why", async () => {
  const hub = await HubProcess.launch({ args: ["--nonsense"] });
  expect(await hub.exited).toEqual({ code: 2, signal: null });
  expect(hub.output).toContain("--nonsense");
  await expect(hub.ready()).rejects.toThrow(/ended before it was ready:.*--nonsense/s);
});

test("a proxy before a hub: blocked upgrades, cut sockets", async () => {
  const hub = await startHub();
  const proxy = await FaultProxy.start(hub);
  const wsUrl = hub.wsUrl.replace(String(hub.port), String(proxy.port));
  proxy.faults.refuse = "upgrades";
  await expect(RawSocket.open(wsUrl)).rejects.toThrow("403");
  proxy.faults.refuse = undefined;
  const socket = await RawSocket.greet(wsUrl);
  proxy.cut();
  expect(await socket.closed).toMatchObject({ code: 1006 });
});

describe("strace", () => {
  const strace = requires("strace");

  test("shows writes, syncs and sends of a hub in their order", async () => {
    const { hub, trace } = await straceHub(strace);
    const { body } = await http(`${hub.url}/message`, { method: "POST", body: task });
    await hub.kill();
    const ops = await trace();
    const reply = ops.findIndex((op) => op.kind === "send" && op.bytes.includes(body.data.id));
    const written = ops.findIndex(
      (op) => op.kind === "write" && op.file.endsWith("-wal") && op.bytes.includes("scrape"),
    );
    const synced = ops.findIndex((op, i) => i > written && op.kind === "sync" && op.file.endsWith("-wal"));
    expect(written).toBeGreaterThan(0);
    expect(synced).toBeGreaterThan(written);
    expect(reply).toBeGreaterThan(synced);
    const wal = (file: string) => file === `${hub.db}-wal`;
    expect(unsyncedBefore(ops, reply, wal)).toEqual([]);
    expect(unsyncedBefore(ops, synced, wal)).not.toEqual([]);
  });
});

describe("a temporary folder", () => {
  let folder = "";

  test("is there while its test runs", () => {
    folder = tempDir();
    expect(existsSync(folder)).toBe(true);
  });

  test("is gone afterwards", () => {
    expect(folder).not.toBe("");
    expect(existsSync(folder)).toBe(false);
  });
});

test("a number can be had again by its seed", () => {
  const draw = (seed: number) => {
    const random = seededRandom(seed);
    return [random.int(1_000_000), random.next(), random.pick(["a", "b", "c"]), random.shuffle([1, 2, 3, 4, 5])];
  };
  expect(draw(7)).toEqual(draw(7));
  expect(draw(7)).not.toEqual(draw(8));
});
