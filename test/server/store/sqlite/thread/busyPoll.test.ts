/** A thread polls for a moment at most, and only where that pays. */
import { setImmediate as nextTurn } from "node:timers/promises";
import { expect, test } from "vitest";
import { BusyPoll, isWorthPolling } from "../../../../../server/store/sqlite/thread/busyPoll.ts";

const LONG_MS = 5;
const STEP_MS = 0.25;

/** A clock that the test holds, and how often it was read. */
function held() {
  const clock = { now: 0, reads: 0 };
  const poll = new BusyPoll(() => {
    clock.reads++;
    return clock.now;
  });
  return { clock, poll };
}

type Held = ReturnType<typeof held>;

/** Polls once for what never comes. @returns how often it was looked for. */
function lookInVain({ clock, poll }: Held): number {
  let looks = 0;
  poll.begin();
  const found = poll.look(() => {
    looks++;
    clock.now += STEP_MS;
  });
  expect(found).toBeUndefined();
  return looks;
}

/** What was waited for comes after so many milliseconds. */
function wait({ clock, poll }: Held, ms: number): void {
  poll.begin();
  clock.now += ms;
  poll.end();
}

/** Whether the poll reads the clock, turn after turn. */
async function isTurning({ clock }: Held): Promise<boolean> {
  await nextTurn();
  const before = clock.reads;
  await nextTurn();
  await nextTurn();
  return clock.reads > before;
}

test("what comes within a moment is found, and what does not is given up", () => {
  const thread = held();
  let looks = 0;
  thread.poll.begin();
  expect(thread.poll.look(() => (++looks === 3 ? "it" : undefined))).toBe("it");
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

test("an event loop turns until what is waited for has come, and for a moment at most", async () => {
  const thread = held();
  thread.poll.begin();
  thread.poll.turn();
  expect(await isTurning(thread)).toBe(true);
  thread.poll.end();
  expect(await isTurning(thread)).toBe(false);
  thread.poll.begin();
  thread.poll.turn();
  expect(await isTurning(thread)).toBe(true);
  thread.clock.now += LONG_MS;
  expect(await isTurning(thread)).toBe(false);
});

test("nothing is polled for around a batch of many", () => {
  expect(isWorthPolling(100)).toBe(false);
});
