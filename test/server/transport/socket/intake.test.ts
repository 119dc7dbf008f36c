/** How much of what a client sends is taken in one turn of the event loop, and that its socket is not read meanwhile. */
import { setImmediate as nextTurn } from "node:timers/promises";
import { expect, test } from "vitest";
import type { WebSocket } from "ws";
import { Intake } from "../../../../server/transport/socket/intake.ts";
import { Flusher, Outbox } from "../../../../server/transport/socket/outbox.ts";
import { LIMITS } from "../../../../shared/limits.ts";
import { startHub } from "../../../support/hub.ts";
import { RawSocket } from "../../../support/rawSocket.ts";
import { CLIENT, rpc } from "./rpc.ts";

const NONE = Buffer.alloc(0);

/** An intake whose frames all hold so many requests. */
function client(requests: number) {
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
  const taken = { frames: 0 };
  const intake = new Intake(socket as unknown as WebSocket, outbox, () => {
    taken.frames++;
    return requests;
  });
  return { socket, outbox, intake, taken };
}

test("large frames are taken one a turn, and the socket is not read until the last of them is", async () => {
  const { intake, socket, taken } = client(LIMITS.batch_requests);
  for (let i = 0; i < 3; i++) intake.receive(NONE, false);
  expect([taken.frames, socket.isPaused]).toEqual([1, true]);
  await nextTurn();
  expect([taken.frames, socket.isPaused]).toEqual([2, true]);
  await nextTurn();
  expect([taken.frames, socket.isPaused]).toEqual([3, false]);
  intake.receive(NONE, false);
  expect(taken.frames).toBe(3);
  await nextTurn();
  expect([taken.frames, socket.isPaused]).toEqual([4, false]);
});

test("small frames are taken as they come, each turn as many", async () => {
  const { intake, socket, taken } = client(1);
  for (let turn = 1; turn <= 3; turn++) {
    for (let i = 0; i < LIMITS.batch_requests; i++) intake.receive(NONE, false);
    expect([taken.frames, socket.isPaused]).toEqual([turn * LIMITS.batch_requests, false]);
    await nextTurn();
  }
});

test("what waits when the hub closes the line is passed over, and what comes then", async () => {
  const { intake, socket, taken } = client(LIMITS.batch_requests);
  for (let i = 0; i < 3; i++) intake.receive(NONE, false);
  intake.stop();
  intake.receive(NONE, false);
  await nextTurn();
  expect([taken.frames, socket.isPaused]).toEqual([1, false]);
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

test("whoever has much to be told is not listened to until that has left", async () => {
  const { outbox, socket } = client(1);
  const page = "x".repeat(LIMITS.page_bytes);
  while (!outbox.isFull) outbox.push(page);
  expect(socket.isPaused).toBe(true);
  await nextTurn();
  expect([outbox.isFull, socket.isPaused]).toEqual([false, false]);
});
