/** A thread polls for a moment at most, and only where that pays. */
import { expect, test } from "vitest";
import { BusyPoll } from "../../../../../server/store/sqlite/thread/busyPoll.ts";

const LONG_MS = 5;
const STEP_MS = 0.25;

/** A thread with a clock that the test holds. */
function held() {
  const clock = { now: 0 };
  return { clock, poll: new BusyPoll(() => clock.now) };
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
