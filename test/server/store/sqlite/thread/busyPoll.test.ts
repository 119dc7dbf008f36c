/** A thread polls for a moment at most, and only where that pays. */
import { setImmediate as nextTurn } from "node:timers/promises";
import { expect, test } from "vitest";
import { BusyPoll, isWorthPolling } from "../../../../../server/store/sqlite/thread/busyPoll.ts";

const LONG_MS = 5;
const STEP_MS = 0.25;

/** A poll on a clock that the test holds: how often it looked, for what comes with which look. */
function held() {
  const thread = { now: 0, looks: 0, comesWith: Number.POSITIVE_INFINITY };
  const look = () => {
    thread.looks++;
    thread.now += STEP_MS;
    return thread.looks === thread.comesWith ? "it" : undefined;
  };
  return Object.assign(thread, { poll: new BusyPoll(look, () => thread.now) });
}

type Held = ReturnType<typeof held>;

/** Polls once for what never comes. @returns how often it was looked for. */
function lookInVain(thread: Held): number {
  const before = thread.looks;
  thread.poll.begin();
  expect(thread.poll.find()).toBeUndefined();
  return thread.looks - before;
}

/** What was waited for comes after so many milliseconds. */
function wait(thread: Held, ms: number): void {
  thread.poll.begin();
  thread.now += ms;
  thread.poll.end();
}

/** Whether it looks, turn after turn. */
async function isTurning(thread: Held): Promise<boolean> {
  await nextTurn();
  const before = thread.looks;
  await nextTurn();
  await nextTurn();
  return thread.looks > before;
}

test("what comes within a moment is found, and what does not is given up", () => {
  const thread = held();
  thread.comesWith = 3;
  thread.poll.begin();
  expect(thread.poll.find()).toBe("it");
  thread.poll.end();
  expect(lookInVain(thread)).toBe(1 / STEP_MS);
});

test("after three long waits it is not looked for any more, until the waits are short again", () => {
  const thread = held();
  for (let long = 0; long < 3; long++) {
    expect(lookInVain(thread)).toBeGreaterThan(0);
    wait(thread, LONG_MS);
  }
  expect(lookInVain(thread)).toBe(0);
  wait(thread, 0);
  expect(lookInVain(thread)).toBeGreaterThan(0);
});

test("one long wait among short ones changes nothing", () => {
  const thread = held();
  for (let round = 0; round < 10; round++) {
    wait(thread, 0);
    wait(thread, LONG_MS);
    expect(lookInVain(thread)).toBeGreaterThan(0);
  }
});

test("an event loop turns, and looks, until what is waited for has come, and for a moment at most", async () => {
  const thread = held();
  thread.poll.begin();
  thread.poll.turn();
  expect(await isTurning(thread)).toBe(true);
  thread.poll.end();
  expect(await isTurning(thread)).toBe(false);
  thread.poll.begin();
  thread.poll.turn();
  await nextTurn();
  thread.now += LONG_MS;
  expect(await isTurning(thread)).toBe(false);
});

test("nothing is polled for around a batch of many", () => {
  expect(isWorthPolling(100)).toBe(false);
});
