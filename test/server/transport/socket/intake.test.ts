/** How much of what a client sends is taken in one turn of the event loop, and that its socket is not read meanwhile. */
import { setImmediate as nextTurn } from "node:timers/promises";
import { expect, test } from "vitest";
import type { WebSocket } from "ws";
import { FairShare } from "../../../../server/transport/socket/fairShare.ts";
import { Intake } from "../../../../server/transport/socket/intake.ts";
import { Flusher, Outbox } from "../../../../server/transport/socket/outbox.ts";
import { LIMITS } from "../../../../shared/limits.ts";
import { startHub } from "../../../support/hub.ts";
import { RawSocket } from "../../../support/rawSocket.ts";
import { CLIENT, rpc } from "./rpc.ts";

/** An intake whose frames all hold so many requests, and what it has taken. */
function client(requests: number, fairShare = new FairShare(), { compiles = false } = {}) {
  const socket = {
    readyState: 1,
    OPEN: 1,
    bufferedAmount: 0,
    isPaused: false,
    send() {},
    pause() {
      this.isPaused = true;
    },
    resume() {
      this.isPaused = false;
    },
  };
  const outbox = new Outbox(socket as unknown as WebSocket, new Flusher());
  const taken: unknown[] = [];
  const intake: Intake = new Intake(socket as unknown as WebSocket, outbox, fairShare, {
    open: (data) => Array.from({ length: requests }, (_, i) => `${data}${i}`),
    take: (request) => {
      taken.push(request);
      if (compiles) intake.begin(0, true);
      return 1;
    },
  });
  const receive = (...names: string[]) => {
    for (const name of names) intake.receive(Buffer.from(name), false);
  };
  return { socket, outbox, intake, taken, receive };
}

/** What a client has of a turn that it shares with nobody; a small frame counts as one request more. */
const ALONE = new FairShare().requests;

test("of a large frame each turn takes a part, in order, and the socket is not read until the last is taken", async () => {
  const { receive, socket, taken } = client(ALONE);
  receive("a", "b", "c");
  for (const count of [ALONE - 1, 2 * ALONE - 2, 3 * ALONE - 3]) {
    expect([taken.length, socket.isPaused]).toEqual([count, true]);
    await nextTurn();
  }
  const all = ["a", "b", "c"].flatMap((name) => Array.from({ length: ALONE }, (_, i) => `${name}${i}`));
  expect([taken, socket.isPaused]).toEqual([all, false]);
});

test("small frames are taken as they come, each turn as many", async () => {
  const { receive, socket, taken } = client(1);
  const SMALL = Math.floor(ALONE / 2);
  for (let turn = 1; turn <= 3; turn++) {
    receive(...Array.from({ length: SMALL }, () => "a"));
    expect([taken.length, socket.isPaused]).toEqual([turn * SMALL, false]);
    await nextTurn();
  }
});

test("after eight requests that may have schemas compiled the next is taken when one of them is answered", async () => {
  const { receive, intake, socket, taken } = client(20, new FairShare(), { compiles: true });
  receive("a");
  for (let answered = 0; answered < 12; answered++) {
    await nextTurn();
    expect([taken.length, socket.isPaused]).toEqual([8 + answered, true]);
    intake.end(0, true);
  }
  expect([taken.length, socket.isPaused]).toEqual([20, false]);
});

test("the more clients compete for a turn, the less each has of it", async () => {
  const CLIENTS = 64;
  const fairShare = new FairShare();
  const clients = Array.from({ length: CLIENTS }, () => client(ALONE, fairShare));
  for (const { receive } of clients) receive("a", "b", "c");
  await nextTurn(); // of those who came first, some have had more
  for (let turn = 0; turn < 10; turn++) {
    const before = clients.map(({ taken }) => taken.length);
    await nextTurn();
    const gained = clients.map(({ taken }, i) => taken.length - (before[i] as number));
    expect(Math.min(...gained)).toBeGreaterThan(0);
    expect(Math.max(...gained)).toBeLessThanOrEqual(Math.ceil((2 * ALONE) / CLIENTS));
  }
  for (const { intake } of clients) intake.stop();
  expect(fairShare).toEqual({ competing: 0 });
});

test("what waits when the hub closes the line is passed over, and what comes then", async () => {
  const { receive, intake, socket, taken } = client(ALONE);
  receive("a", "b", "c");
  intake.stop();
  receive("d");
  await nextTurn();
  expect([taken.length, socket.isPaused]).toEqual([ALONE - 1, false]);
});

test("a hello that still waits when its client has gone connects nobody", async () => {
  const hub = await startHub();
  const [bob, gone] = [await RawSocket.greet(hub.wsUrl, { claude_id: "bob" }), await RawSocket.open(hub.wsUrl)];
  const turnLong = JSON.stringify(Array.from({ length: LIMITS.batch_requests }, () => 1));
  const TURNS = 10;
  for (let i = 0; i < TURNS; i++) gone.sendText(turnLong);
  gone.send(rpc("hello", { client: CLIENT, claude_id: "ghost" }, "1"));
  gone.ws.terminate();
  for (let i = 0; i < 2 * TURNS; i++) await bob.call("stats", {});
  const { instances } = await bob.call("presence", {});
  expect(instances.filter(({ connections }) => connections.length > 0).map(({ claude_id }) => claude_id)).toEqual([
    "bob",
  ]);
});

test("whoever has much to be told is not listened to until that has left, nor is what it said", async () => {
  const { outbox, socket, receive, taken } = client(1);
  const page = "x".repeat(LIMITS.page_bytes);
  while (!outbox.isFull) outbox.push(page);
  receive("a");
  expect([taken.length, socket.isPaused]).toEqual([0, true]);
  await nextTurn();
  expect([taken.length, outbox.isFull, socket.isPaused]).toEqual([1, false, false]);
});

test("what a client asks for is done in the order in which it was asked for, however long it takes", async () => {
  const { wsUrl } = await startHub();
  const socket = await RawSocket.greet(wsUrl, { claude_id: "ada" });
  const message = { to_claude: "bob", task: "count" };
  const COUNT = 50;
  const asked = Array.from({ length: COUNT }, (_, i) => [
    rpc("template_put", { name: `t${i}`, message }, `put template ${i}`),
    rpc("send", { template: `t${i}` }, `send ${i}`),
    rpc("template_delete", { name: `t${i}` }, `delete template ${i}`),
    rpc("schedule_put", { name: `s${i}`, cron: "0 0 29 2 *", message }, `put schedule ${i}`),
    rpc("schedule_delete", { name: `s${i}` }, `delete schedule ${i}`),
  ]).flat();
  socket.send(asked);
  for (const { id } of asked) expect(await socket.answer(id as string)).not.toHaveProperty("error");
});

test("schedules that never come are refused a few a turn, and others are answered meanwhile", async () => {
  const { wsUrl } = await startHub();
  const [ada, bob] = [
    await RawSocket.greet(wsUrl, { claude_id: "ada" }),
    await RawSocket.greet(wsUrl, { claude_id: "bob" }),
  ];
  const params = { name: "never", cron: "0 0 31 2 *", message: { to_claude: "bob", task: "never" } };
  const COUNT = 200;
  ada.send(Array.from({ length: COUNT }, (_, i) => rpc("schedule_put", params, `${i}`)));
  await ada.answer("0");
  await bob.call("stats", {});
  const refused = () => ada.received.filter(({ error }) => error?.data?.code === "invalid_params").length;
  expect(refused()).toBeLessThan(COUNT);
  await ada.answer(`${COUNT - 1}`);
  expect(refused()).toBe(COUNT);
});
