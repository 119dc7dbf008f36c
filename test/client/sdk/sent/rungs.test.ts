/** A sender waits for any rung: delivered, seen, claimed; whatever it asks for first, and over a lost line. */
import { getEventListeners } from "node:events";
import { expect, test } from "vitest";
import { connect } from "../../../../client/sdk/index.ts";
import { ManualClock } from "../../../support/clock.ts";
import { defer } from "../../../support/defer.ts";
import { startHub } from "../../../support/hub.ts";
import { FaultProxy } from "../../../support/proxy.ts";
import { seededRandom } from "../../../support/random.ts";

async function scene(proxied = false) {
  const hub = await startHub();
  const proxy = await FaultProxy.start(hub, seededRandom());
  const url = proxied ? `http://127.0.0.1:${proxy.port}/api/coord` : hub.url;
  const boss = await connect({ as: "boss", url, random: () => 0.02 });
  const ada = await connect({ as: "ada", url: hub.url });
  defer(() => Promise.all([boss.close(), ada.close()]));
  return { boss, ada, proxy, url };
}

test("each rung, when it is so and not before", async () => {
  const { boss, ada } = await scene();
  const task = await boss.send({ to_claude: "ada", task: "count" });
  const order: string[] = [];
  const rungs = (["claimed", "seen", "delivered"] as const).map(async (rung) => {
    const message = await task.reached(rung);
    order.push(rung);
    return message;
  });
  ada.on("claimed", () => {});
  await ada.seen({ id: task.id });
  await ada.claim({ id: task.id });
  const [claimed, seen, delivered] = await Promise.all(rungs);
  expect(order.at(-1)).toBe("claimed");
  expect(claimed).toMatchObject({ claimed_by: "ada", status: "in_progress" });
  expect(seen?.seen_at).toBeDefined();
  expect(delivered?.delivered_at).toBeDefined();
  expect(await task.reached("seen")).toMatchObject({ status: "in_progress" });
});

test("delivered comes from the recipient's own acknowledgement", async () => {
  const { boss, ada } = await scene();
  ada.on("new", () => {});
  await ada.info();
  const task = await boss.chat("ada", "hi");
  expect((await task.reached("delivered")).delivered_at).toBeDefined();
});

test("what ends without it says so; what is closed, too", async () => {
  const { boss } = await scene();
  const task = await boss.send({ to_claude: "ada", task: "count" });
  const claimed = task.reached("claimed");
  await boss.cancel({ id: task.id, reason: "no need" });
  await expect(claimed).rejects.toMatchObject({ name: "TaskFailed", message: expect.stringContaining("claimed") });
  const open = (await boss.send({ to_claude: "ada", task: "count" })).reached("seen");
  const settled = expect(open).rejects.toMatchObject({ name: "HubClosed" });
  await boss.close();
  await settled;
});

test("no longer than asked for; a rung that is none is refused", async () => {
  const clock = new ManualClock();
  const { url } = await startHub();
  const boss = await connect({ as: "boss", url, clock });
  defer(() => boss.close());
  const task = await boss.send({ to_claude: "ada", task: "count" });
  const stop = new AbortController();
  const late = expect(task.reached("seen", { timeout_ms: 50 })).rejects.toThrow("is not seen within 50 ms");
  const ended = expect(task.result({ timeout_ms: 60 })).rejects.toMatchObject({ code: "call_timeout" });
  const stopped = expect(task.reached("claimed", { signal: stop.signal })).rejects.toThrow("enough");
  await boss.info();
  clock.advance(60);
  await Promise.all([late, ended]);
  stop.abort(new Error("enough"));
  await stopped;
  await expect(task.reached("seen", { signal: stop.signal })).rejects.toThrow("enough");
  const claimed = task.reached("claimed", { timeout_ms: 70 });
  await boss.claim({ id: task.id });
  expect(await claimed).toMatchObject({ status: "in_progress" });
  await expect(task.reached("frob" as "seen")).rejects.toThrow(
    "takes delivered, seen, claimed: frob; for the end, result()",
  );
});

test("however a wait ends, its signal is let go of", async () => {
  const { boss, ada } = await scene();
  const stop = new AbortController();
  const send = () => boss.send({ to_claude: "ada", task: "count" });
  const bound = () => getEventListeners(stop.signal, "abort").length;
  const [done, cancelled] = [await send(), await send()];
  const waits = [done, done, cancelled].map((task) => task.result({ signal: stop.signal }));
  const settled = Promise.allSettled(waits);
  const late = expect(done.reached("seen", { signal: stop.signal, timeout_ms: 1 })).rejects.toThrow("is not seen");
  expect(bound()).toBe(4);
  await late;
  expect(bound()).toBe(3);
  await ada.update({ id: done.id, status: "complete" });
  await boss.cancel({ id: cancelled.id });
  await settled;
  expect(bound()).toBe(0);
  const open = (await send()).result({ signal: stop.signal });
  const closed = expect(open).rejects.toMatchObject({ name: "HubClosed" });
  await boss.close();
  await closed;
  expect(bound()).toBe(0);
});

test("over a line that was cut meanwhile", async () => {
  const { boss, ada, proxy } = await scene(true);
  const task = await boss.send({ to_claude: "ada", task: "count" });
  const claimed = task.reached("claimed");
  proxy.cut();
  await ada.claim({ id: task.id });
  expect(await claimed).toMatchObject({ claimed_by: "ada" });
});

test("of a chat to everyone the first receipt counts, and its end is everyone's", async () => {
  const { boss, ada, url } = await scene();
  const bob = await connect({ as: "bob", url });
  defer(() => bob.close());
  const chat = await boss.chat("*", "the dashboard is up");
  const [delivered, seen, end] = [chat.reached("delivered"), chat.reached("seen"), chat.result()];
  expect(await boss.receipts({ id: chat.id })).toMatchObject({
    receipts: [{ recipient: "ada" }, { recipient: "bob" }],
  });
  await ada.update({ id: chat.id, status: "complete" });
  expect(await seen).toMatchObject({ status: "pending", seen_at: (await delivered).delivered_at });
  expect(await chat.reached("seen")).toEqual(await seen);
  const unread = await boss.chat("*", "and down again");
  const never = unread.reached("seen");
  await boss.update({ id: unread.id, status: "complete" });
  await expect(never).rejects.toMatchObject({ name: "TaskFailed", message: expect.stringContaining("seen") });
  await bob.update({ id: chat.id, status: "complete" });
  expect(await end).toMatchObject({ status: "complete" });
});

test("of a message that was sent in another's name, too", async () => {
  const { boss, ada } = await scene();
  const task = await boss.send({ from_claude: "carl", to_claude: "ada", task: "count" });
  const [claimed, delivered] = [task.reached("claimed"), task.reached("delivered")];
  await ada.claim({ id: task.id });
  expect(await Promise.all([claimed, delivered])).toMatchObject([
    { claimed_by: "ada" },
    { delivered_at: expect.any(String) },
  ]);
});
