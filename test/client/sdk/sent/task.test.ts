import { setImmediate as turn } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { HubError, type Message, TaskFailed } from "../../../../client/sdk/index.ts";
import { Waits } from "../../../../client/sdk/sent/waits.ts";
import { ManualClock } from "../../../support/clock.ts";
import { startHub } from "../../../support/hub.ts";
import { HubProcess } from "../../../support/processes.ts";
import { backUp, join, later, reaches, startProxied } from "../support.ts";

describe.each(["websocket", "long_poll"] as const)("the result of a task over %s", (transport) => {
  it("comes with the event that tells of it", async () => {
    const { url } = await startHub();
    const [ada, bob] = [await join(url, { as: "ada", transport }), await join(url, { as: "bob" })];
    const task = await ada.send({ to_claude: "bob", task: "add 2 and 2", context: "whole numbers" });
    const result = task.result();
    await bob.update({ id: task.id, status: "complete", result: "4" });
    expect(await result).toMatchObject({ status: "complete", result: "4", context: "whole numbers", attempt: 1 });
    expect(await task.result()).toMatchObject({ result: "4" });
  });

  it("comes also when it was there before anybody asked", async () => {
    const { url } = await startHub();
    const [ada, bob] = [await join(url, { as: "ada", transport }), await join(url, { as: "bob" })];
    const task = await ada.send({ to_claude: "bob", task: "quick" });
    await bob.update({ id: task.id, status: "complete", result: "done" });
    const later = await ada.send({ to_claude: "bob", task: "another" });
    await bob.update({ id: later.id, status: "complete" });
    await later.result();
    expect(await task.result()).toMatchObject({ result: "done" });
  });

  it("comes to whoever listened for something else before it sent anything, over a broken line too", async () => {
    const { proxy, url } = await startProxied();
    const [ada, bob] = [await join(url, { as: "ada", transport }), await join(url, { as: "bob", transport })];
    ada.on("new", () => {});
    const task = await ada.send({ to_claude: "bob", task: "answer" });
    const result = task.result();
    proxy.cut();
    await bob.update({ id: task.id, status: "complete", result: "yes" });
    expect(await result).toMatchObject({ result: "yes" });
  });

  it("of a failure is an error that carries the message", async () => {
    const { url } = await startHub();
    const [ada, bob] = [await join(url, { as: "ada", transport }), await join(url, { as: "bob" })];
    const task = await ada.send({ to_claude: "bob", task: "impossible" });
    const result = later(task.result());
    await bob.update({ id: task.id, status: "failed", error: "no such thing" });
    await expect(result).rejects.toThrow("no such thing");
    await expect(result).rejects.toBeInstanceOf(TaskFailed);
    await expect(result).rejects.toMatchObject({ task: { id: task.id, status: "failed", failure: "error" } });
    const wordless = await ada.send({ to_claude: "bob", task: "never mind" });
    await ada.cancel({ id: wordless.id });
    await expect(wordless.result()).rejects.toThrow("the task was cancelled");
  });

  it("of a deleted message is an error too", async () => {
    const { url } = await startHub();
    const ada = await join(url, { as: "ada", transport });
    const [task, gone] = [
      await ada.send({ to_claude: "bob", task: "a" }),
      await ada.send({ to_claude: "bob", task: "b" }),
    ];
    const result = later(task.result());
    await ada.delete({ id: task.id });
    await expect(result).rejects.toThrow("the message was deleted");
    await ada.delete({ id: gone.id });
    await expect(gone.result()).rejects.toMatchObject({ code: "task_failed" });
  });

  it("of a task that was sent in another's name comes as well", async () => {
    const { url } = await startHub();
    const [ada, bob] = [await join(url, { as: "ada", transport }), await join(url, { as: "bob" })];
    const task = await ada.send({ from_claude: "carl", to_claude: "bob", task: "for carl" });
    const result = task.result();
    await bob.update({ id: task.id, status: "complete", result: "yes" });
    expect(await result).toMatchObject({ from_claude: "carl", result: "yes" });
  });
});

it("comes when the line broke meanwhile", async () => {
  const { server, proxy, url } = await startProxied();
  const [ada, bob] = [await join(url, { as: "ada", transport: "websocket" }), await join(server.url, { as: "bob" })];
  const task = await ada.send({ to_claude: "bob", task: "long" });
  const result = task.result();
  proxy.faults.refuse = "connections";
  proxy.cut();
  await reaches(ada, "waiting", "connecting");
  await bob.update({ id: task.id, status: "complete", result: "meanwhile" });
  proxy.faults.refuse = undefined;
  expect(await result).toMatchObject({ result: "meanwhile" });
});

it("comes when the hub was killed meanwhile", async () => {
  const server = await HubProcess.start();
  const [ada, bob] = [await join(server.url, { as: "ada" }), await join(server.url, { as: "bob" })];
  const task = await ada.send({ to_claude: "bob", task: "long" });
  const result = task.result();
  await server.kill();
  await startHub({ port: server.port, db: server.db });
  await bob.update({ id: task.id, status: "complete", result: "after" });
  expect(await result).toMatchObject({ result: "after" });
});

it("is read anew when the log does not go on", async () => {
  const server = await HubProcess.start();
  const ada = await join(server.url, { as: "ada" });
  const task = await ada.send({ to_claude: "bob", task: "lost with its log" });
  const result = later(task.result());
  const port = server.port;
  await server.kill();
  await startHub({ port });
  await expect(result).rejects.toThrow("the message was deleted");
});

it.each([
  ["an own message comes", "ada"],
  ["another's message comes", "carl"],
])("the rung of %s also after a restore, whose log is behind what was read before", async (_, from_claude) => {
  const server = await startHub();
  const [ada, bob] = [await join(server.url, { as: "ada" }), await join(server.url, { as: "bob" })];
  const task = await ada.send({ from_claude, to_claude: "bob", task: "x" });
  const restore = await backUp(server);
  for (let i = 0; i < 10; i++) await ada.chat("dora", "the log grows");
  await bob.claim({ id: task.id });
  const seen = task.reached("seen");
  for (let round = 0; round < 5; round++) await ada.stats(); // it is read
  await restore();
  await bob.seen({ id: task.id });
  expect(await seen).toMatchObject({ id: task.id, seen_at: expect.any(String) });
});

it("ends with the connection", async () => {
  const { url } = await startHub();
  const ada = await join(url, { as: "ada" });
  const task = await ada.send({ to_claude: "bob", task: "never" });
  const result = later(task.result());
  await ada.close();
  await expect(result).rejects.toMatchObject({ code: "hub_closed" });
  await expect(task.result()).rejects.toMatchObject({ code: "hub_closed" });
});

it("a message that is waited for is read by one reading at a time, however often it is asked for", async () => {
  const clock = new ManualClock();
  let readings = 0;
  const refuse = async () => {
    readings++;
    throw new HubError("storage_unavailable", "not now");
  };
  const waits = new Waits({ clock, call: refuse }, { shows: () => true, onInterest: () => {}, onRungs: () => {} });
  const waiting = later(waits.until({ id: "m", status: "pending" } as Message, "end", -1));
  for (let second = 0; second < 20; second++) {
    waits.look();
    await turn();
    clock.advance(1_000);
    await turn();
  }
  expect(readings).toBeLessThanOrEqual(21);
  waits.end(new Error("over"));
  await expect(waiting).rejects.toThrow("over");
});
