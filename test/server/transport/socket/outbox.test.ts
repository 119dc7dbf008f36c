/** In which turn of the event loop what is written. */
import { setImmediate as nextTurn } from "node:timers/promises";
import { expect, test } from "vitest";
import type { WebSocket } from "ws";
import { Flusher, Outbox } from "../../../../server/transport/socket/outbox.ts";

/** Connections that one flusher flushes, and what was sent on them. */
function connections() {
  const flusher = new Flusher();
  const sent: string[] = [];
  const open = (name: string) => {
    const socket = {
      readyState: 1,
      OPEN: 1,
      bufferedAmount: 0,
      send: (frame: string) => sent.push(`${name} ${frame}`),
    };
    return new Outbox(socket as unknown as WebSocket, flusher);
  };
  return { open, sent };
}

test("who is to act on something is told first; a request that this led to is taken before the confirmation leaves", async () => {
  const { open, sent } = connections();
  open("sender").push("sent", "confirmation");
  const worker = open("worker");
  worker.push("event");
  await nextTurn();
  expect(sent).toEqual(["worker event"]);
  setImmediate(() => sent.push("the request is taken")); // as what a socket brings in schedules it
  for (let turn = 0; turn < 3; turn++) await nextTurn();
  expect(sent).toEqual(["worker event", "the request is taken", "sender sent"]);
});

test.each([
  ["confirmations alone", ["confirmation", "confirmation"]],
  ["what is for many", ["actionable", "actionable", "confirmation", "actionable", "confirmation"]],
] as const)("%s: everything leaves with the turn", async (_what, urgencies) => {
  const { open, sent } = connections();
  for (const [i, urgency] of urgencies.entries()) open(`${i}`).push("said", urgency);
  await nextTurn();
  expect(sent.map((line) => line[0]).sort()).toEqual(Object.keys(urgencies));
});

test("on one connection nothing overtakes anything, and a confirmation leaves with what is to be acted on", async () => {
  const { open, sent } = connections();
  const [one, other] = [open("one"), open("other")];
  one.push('"done"', "confirmation");
  other.push('"event"');
  one.push('"task"');
  one.push('"done, too"', "confirmation");
  for (let turn = 0; turn < 4; turn++) await nextTurn();
  expect(sent).toEqual(['other "event"', 'one ["done","task","done, too"]']);
});

test("what is added to a confirmation that waits leaves with it, once", async () => {
  const { open, sent } = connections();
  const [sender, worker] = [open("sender"), open("worker")];
  sender.push("1", "confirmation");
  worker.push("event");
  await nextTurn();
  sender.push("2", "confirmation");
  for (let turn = 0; turn < 4; turn++) await nextTurn();
  expect(sent).toEqual(["worker event", "sender [1,2]"]);
});
