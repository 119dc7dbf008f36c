/**
 * A worker that dies with a task in hand does not take the task with it; one that was only away for too long comes back
 * to find that it is no longer the holder, and can harm nothing (I7).
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { expect, test } from "vitest";
import type { Message } from "../../shared/message.ts";
import { Heard, join, reaches, through } from "../client/sdk/support.ts";
import { defer } from "../support/defer.ts";
import { http } from "../support/http.ts";
import { HubProcess } from "../support/processes.ts";
import { FaultProxy } from "../support/proxy.ts";
import { RawSocket } from "../support/rawSocket.ts";
import { repository } from "../support/repository.ts";
import { eventually } from "./support/eventually.ts";
import { LogChecker } from "./support/logChecker.ts";

const GRACE_MS = 500;
const PROGRAM = `${repository}dist/test/faults/fixture/worker.js`;

class WorkerProcess {
  readonly child: ChildProcess;
  output = "";

  private constructor(url: string, as: string) {
    this.child = spawn(process.execPath, [PROGRAM, url, as], { stdio: ["pipe", "pipe", "inherit"] });
    this.child.stdout?.on("data", (chunk) => {
      this.output += chunk;
    });
  }

  static async start(url: string, as: string): Promise<WorkerProcess> {
    const worker = new WorkerProcess(url, as);
    defer(() => worker.end("SIGKILL"));
    await worker.says("ready");
    return worker;
  }

  says(line: string): Promise<unknown> {
    return eventually(`the worker says "${line}"`, () => this.output.split("\n").includes(line));
  }

  /** Lets it complete the task in its hands. */
  finish(): void {
    this.child.stdin?.write("\n");
  }

  async end(signal: NodeJS.Signals): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const closed = once(this.child, "close");
    this.child.kill(signal);
    await closed;
  }
}

async function start(graceMs = GRACE_MS) {
  const hub = await HubProcess.start({ args: ["--lease-grace-ms", String(graceMs)] });
  const ada = await join(hub.url, { as: "ada" });
  const kinds = new Heard(ada, "event");
  await reaches(ada, "online");
  const show = async (id: string) => (await http(`${hub.url}/message/${id}`)).body.data as Message;
  return { hub, ada, kinds, show };
}

test("a task of a worker that was killed comes back, and another worker does it", async () => {
  const { hub, ada, kinds, show } = await start();
  const killed = await WorkerProcess.start(hub.url, "bob");
  const task = await ada.send({ to_claude: "bob", task: "sum", backoff_ms: 0 });
  await killed.says("sum attempt 1");
  const held = await show(task.id);
  await killed.end("SIGKILL");
  const gone = Date.now();
  await kinds.find(({ kind }) => kind === "requeued");
  expect(Date.now() - gone).toBeGreaterThan(GRACE_MS / 2);
  expect(held).toMatchObject({ status: "in_progress", claimed_by: "bob", attempt: 1 });
  expect(await show(task.id)).toMatchObject({ status: "pending", attempt: 1, tries_left: 2 });
  const other = await WorkerProcess.start(hub.url, "bob");
  await other.says("sum attempt 2");
  other.finish();
  expect(await task.result()).toMatchObject({ attempt: 2, result: `done by ${other.child.pid}` });
  const told = kinds.all.map(({ kind }) => kind).filter((kind) => kind !== "delivered");
  expect(told).toEqual(["new", "claimed", "requeued", "ready", "claimed", "completed"]);
});

test("a task that failed by its worker's death as often as it may is over", async () => {
  const { hub, ada, show } = await start();
  const task = await ada.send({ to_claude: "bob", task: "poison", backoff_ms: 0, max_attempts: 2 });
  const over = task.result().catch((error: Error) => error);
  for (const attempt of [1, 2]) {
    const worker = await WorkerProcess.start(hub.url, "bob");
    await worker.says(`poison attempt ${attempt}`);
    await worker.end("SIGKILL");
  }
  expect(await over).toMatchObject({ name: "TaskFailed" });
  expect(await show(task.id)).toMatchObject({ status: "failed", failure: "attempts_exhausted", error: "bob was gone" });
});

test("a worker that was stopped and comes back too late is refused, and changes nothing", async () => {
  const { hub, ada, kinds, show } = await start();
  const proxy = await FaultProxy.start(hub);
  const stopped = await WorkerProcess.start(through(proxy), "bob");
  const task = await ada.send({ to_claude: "bob", task: "sum", backoff_ms: 0 });
  await stopped.says("sum attempt 1");
  stopped.child.kill("SIGSTOP");
  proxy.cut(); // the hub would find out by itself, after 35 s without an answer to its ping
  await kinds.find(({ kind }) => kind === "requeued");
  const other = await WorkerProcess.start(hub.url, "bob");
  await other.says("sum attempt 2");

  stopped.child.kill("SIGCONT");
  stopped.finish();
  await stopped.says("sum refused: lease_lost");
  const held = await show(task.id);
  expect(held).toMatchObject({ status: "in_progress", attempt: 2 });
  expect(held).not.toHaveProperty("result");

  other.finish();
  expect(await task.result()).toMatchObject({ attempt: 2, result: `done by ${other.child.pid}` });
  const checker = new LogChecker();
  await checker.readOn(hub.url);
  expect(checker.broken).toEqual([]);
  expect(await checker.differences(hub.url)).toEqual([]);
});

test("a run that lost its claim and claims again is held to its new attempt", async () => {
  const { hub, ada, kinds, show } = await start();
  const run = { claude_id: "bob", run: "r1" };
  const before = await RawSocket.greet(hub.wsUrl, run);
  const task = await ada.send({ to_claude: "bob", task: "sum", backoff_ms: 0 });
  await before.call("claim", { id: task.id });
  before.ws.terminate();
  await kinds.find(({ kind }) => kind === "ready");
  const again = await RawSocket.greet(hub.wsUrl, run);
  expect(await again.call("claim", { id: task.id })).toMatchObject({ attempt: 2 });
  const late = again.call("complete", { id: task.id, attempt: 1, result: "of the first attempt" });
  await expect(late).rejects.toMatchObject({ code: "lease_lost", details: { attempt: 2 } });
  expect(await show(task.id)).toMatchObject({ status: "in_progress", attempt: 2 });
  await again.call("complete", { id: task.id, attempt: 2, result: "of the second" });
  expect(await task.result()).toMatchObject({ attempt: 2, result: "of the second" });
});

test("a worker that comes back within the grace keeps its task", async () => {
  const { hub, ada, kinds } = await start(30_000);
  const proxy = await FaultProxy.start(hub);
  const worker = await WorkerProcess.start(through(proxy), "bob");
  const task = await ada.send({ to_claude: "bob", task: "sum" });
  await worker.says("sum attempt 1");
  for (let i = 0; i < 3; i++) {
    const before = proxy.accepted;
    proxy.cut();
    await eventually("it is back", () => proxy.accepted > before && proxy.open > 0);
  }
  worker.finish();
  expect(await task.result()).toMatchObject({ attempt: 1 });
  expect(kinds.all.map(({ kind }) => kind)).not.toContain("requeued");
});
