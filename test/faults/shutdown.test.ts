/**
 * SIGTERM under load: no new work, every client is told to come back, whoever waits is let go, everything that was
 * acknowledged is there afterwards, and the process ends with 0 within 5 s, whatever its clients do.
 */
import { existsSync } from "node:fs";
import { get } from "node:http";
import { text } from "node:stream/consumers";
import { expect, test } from "vitest";
import type { Closing } from "../../shared/frames.ts";
import { Heard, join } from "../client/sdk/support.ts";
import { http } from "../support/http.ts";
import { startHub } from "../support/hub.ts";
import { accepts } from "../support/ports.ts";
import { HubProcess } from "../support/processes.ts";
import { seededRandom } from "../support/random.ts";
import { RawSocket } from "../support/rawSocket.ts";
import { eventually } from "./support/eventually.ts";
import { Load } from "./support/load.ts";
import { LogChecker } from "./support/logChecker.ts";

const LIMIT_MS = 5_000;
const DONE = { code: 0, signal: null };
const task = { from_claude: "ada", to_claude: "bob", task: "held over the restart" };

/** How many readers of the log the hub serves. */
async function readersOf(hub: HubProcess): Promise<number> {
  const { body } = await http(`${hub.origin}/metrics`);
  return Number(/^coordination_sessions (\d+)$/m.exec(body)?.[1]);
}

const isClosing = (hub: HubProcess) => hub.output.includes('"msg":"closing"');

test("a hub that npm runs ends with npm's shell, which tells it nothing", async () => {
  const env = { npm_package_name: "coordination-hub", npm_lifecycle_event: "start" };
  const hub = await HubProcess.start({ env, under: ["sh", "-c", '"$@"; true', "sh"] });
  await hub.kill();
  await eventually("the hub ends", async () => !(await accepts(hub.port)));
});

test.skipIf(!existsSync("/proc/self/stat"))("a hub that npm runs ends with npm, whose shell stays", async () => {
  const env = { npm_package_name: "coordination-hub", npm_lifecycle_event: "start" };
  const npm = ["sh", "-c", 'sh -c \'"$@"; true\' sh "$@"; true', "sh"];
  const hub = await HubProcess.start({ env, under: npm });
  await hub.kill();
  await eventually("the hub ends", async () => !(await accepts(hub.port)));
});

test("under load: acknowledged means kept, a second signal is harmless, clients go on afterwards", async () => {
  const hub = await HubProcess.start();
  const load = new Load(seededRandom(), ["bob"]);
  const options = { random: () => 0.02, timeout_ms: 15_000 };
  const bob = await join(hub.url, { as: "bob", ...options });
  const states = new Heard(bob, "state");
  load.send(await join(hub.url, { as: "ada", ...options }), 24);
  load.sendRaw(hub.wsUrl, "raw");
  load.work(bob, 12);
  await load.acknowledges(300);

  const begun = performance.now();
  void hub.stop();
  await eventually("the hub closes", () => isClosing(hub));
  expect(await hub.stop()).toEqual(DONE);
  expect(performance.now() - begun).toBeLessThan(LIMIT_MS);
  await states.find(({ reason }) => reason === "restarting");

  const acknowledged = [...load.acknowledged];
  await hub.restart();
  const checker = new LogChecker();
  await checker.readOn(hub.url);
  expect(checker.missing(acknowledged)).toEqual([]);
  await load.finish(() => checker.isWorkedOff(hub.url));
  expect(checker.broken).toEqual([]);
  expect(checker.missing(load.acknowledged)).toEqual([]);
});

test("whoever waits is let go, nothing new is taken, and every socket is told when to come back", async () => {
  const hub = await HubProcess.start();
  const socket = await RawSocket.greet(hub.wsUrl, { claude_id: "bob", run: "r1" });
  const claim = socket.request("claim_next", { wait_ms: 50_000, claim_key: "k" });
  const { cursor } = (await http(hub.url)).body.data;
  const polls = ["events?for=bob&after=", "events?after="].map((path) =>
    http(`${hub.url}/${path}${cursor}&wait_ms=50000`),
  );
  const claimOverRest = http(`${hub.url}/claim`, { method: "POST", body: { for_claude: "ada", wait_ms: 50_000 } });
  const stream = new Promise<string>((resolve, reject) => {
    const headers = { accept: "text/event-stream" };
    get(`${hub.url}/events`, { agent: false, headers }, (response) => text(response).then(resolve, reject));
  });
  await eventually("everybody waits", async () => (await readersOf(hub)) === 4);
  await socket.call("stats", {});

  const begun = performance.now();
  void hub.stop();
  await eventually("the hub closes", () => isClosing(hub));
  socket.send({ jsonrpc: "2.0", id: "late", method: "send", params: task });
  for (const poll of await Promise.all(polls)) {
    expect(poll).toMatchObject({ status: 200, body: { data: { after: cursor, cursor, events: [] } } });
  }
  expect(await claimOverRest).toMatchObject({ status: 200, body: { data: null } });
  expect(await claim).toBe(null);
  expect(await stream).toContain(cursor);
  expect(await socket.closed).toEqual({ code: 1012, reason: "restarting" });
  const late = socket.received.find(({ id }) => id === "late"); // the socket may have been closed before it
  if (late) expect(late.error?.data?.code).toBe("shutting_down");
  const [closing] = socket.notifications("closing") as Closing[];
  expect(closing).toMatchObject({ code: 1012 });
  expect(closing?.reconnect_within_ms).toBeGreaterThan(0);
  await expect(http(hub.url)).rejects.toThrow(/ECONNREFUSED|ECONNRESET/);
  expect(await hub.exited).toEqual(DONE);
  expect(performance.now() - begun).toBeLessThan(LIMIT_MS);
  await startHub({ port: hub.port, db: hub.db });
  expect((await http(`${hub.url}/messages`)).body.count).toBe(0);
});

test("a client that reads nothing, and one that never finishes its request, do not hold it up", async () => {
  const hub = await HubProcess.start();
  const deaf = await RawSocket.greet(hub.wsUrl, { claude_id: "deaf" });
  deaf.pause();
  const half = get(`${hub.url}/message`, { agent: false, method: "POST", headers: { "content-length": "100" } });
  half.on("error", () => {}).write("{");
  await eventually("the deaf one is there", async () => (await readersOf(hub)) === 1);
  const begun = performance.now();
  expect(await hub.stop()).toEqual(DONE);
  expect(performance.now() - begun).toBeLessThan(LIMIT_MS);
});

test("leases stay as they are: the worker comes back and completes what it held", async () => {
  const hub = await HubProcess.start();
  const worker = await RawSocket.greet(hub.wsUrl, { claude_id: "bob", run: "r1" });
  const { id } = (await worker.call("send", task)).message;
  const { attempt = 0 } = await worker.call("claim", { id });
  await hub.stop();
  await startHub({ port: hub.port, db: hub.db });
  const back = await RawSocket.greet(hub.wsUrl, { claude_id: "bob", run: "r1" });
  expect(await back.call("get", { id })).toMatchObject({ status: "in_progress", attempt, claimed_by: "bob" });
  await back.call("complete", { id, attempt, result: "done" });
  const checker = new LogChecker();
  await checker.readOn(hub.url);
  expect(checker.events.map(({ kind }) => kind)).toEqual(["new", "claimed", "completed"]);
});
