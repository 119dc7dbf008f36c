/** While the hub's thread waits for a small commit its event loop turns without a pause: for a moment, and where that pays. */
import { setImmediate as nextTurn } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { CommitWait } from "../../../../../server/store/sqlite/thread/commitWait.ts";

const LONG_MS = 5;
/** Enough to find out what pays. */
const WAITS = 2_000;

/** A clock that the test holds, and how often it was read. */
function held() {
  const clock = { now: 0, reads: 0 };
  const wait = new CommitWait(() => {
    clock.reads++;
    return clock.now;
  });
  return { clock, wait };
}

type Held = ReturnType<typeof held>;

/** Many commits, of which each takes so many milliseconds. */
function commits({ clock, wait }: Held, ms: (polls: boolean) => number): void {
  for (let i = 0; i < WAITS; i++) {
    clock.now += ms(wait.begin(1));
    wait.end();
  }
}

/** Whether the clock is read, turn after turn. */
async function isTurning({ clock }: Held): Promise<boolean> {
  await nextTurn();
  const before = clock.reads;
  await nextTurn();
  await nextTurn();
  return clock.reads > before;
}

describe("where polling pays", () => {
  function paying(): Held {
    const thread = held();
    commits(thread, (polls) => (polls ? 0.1 : 0.2));
    return thread;
  }

  test("the loop turns until the result has come", async () => {
    const thread = paying();
    expect(thread.wait.begin(1)).toBe(true);
    expect(await isTurning(thread)).toBe(true);
    thread.wait.end();
    expect(await isTurning(thread)).toBe(false);
  });

  test("it turns for a moment at most", async () => {
    const thread = paying();
    thread.wait.begin(1);
    expect(await isTurning(thread)).toBe(true);
    thread.clock.now += LONG_MS;
    expect(await isTurning(thread)).toBe(false);
  });

  test("it rests around a batch of many", async () => {
    const thread = paying();
    expect(thread.wait.begin(100)).toBe(false);
    expect(await isTurning(thread)).toBe(false);
  });
});

test("where polling does not pay the loop rests", async () => {
  const thread = held();
  commits(thread, (polls) => (polls ? 0.2 : 0.1));
  expect(thread.wait.begin(1)).toBe(false);
  expect(await isTurning(thread)).toBe(false);
});
