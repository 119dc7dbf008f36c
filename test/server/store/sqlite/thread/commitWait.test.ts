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

/** Begins a commit of so many commands, which ends when the test says so. */
function begin({ wait }: Held, commands = 1) {
  let polls = false;
  let end = () => {};
  const ended = wait.for(commands, (isPolled) => {
    polls = isPolled;
    return new Promise<void>((resolve) => {
      end = resolve;
    });
  });
  return {
    polls,
    end: () => {
      end();
      return ended;
    },
  };
}

/** Many commits, of which each takes so many milliseconds. */
async function commits({ clock, wait }: Held, ms: (polls: boolean) => number): Promise<void> {
  for (let i = 0; i < WAITS; i++) {
    await wait.for(1, async (polls) => {
      clock.now += ms(polls);
    });
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
  async function paying(): Promise<Held> {
    const thread = held();
    await commits(thread, (polls) => (polls ? 0.1 : 0.2));
    return thread;
  }

  test("the loop turns until the result has come", async () => {
    const thread = await paying();
    const commit = begin(thread);
    expect(commit.polls).toBe(true);
    expect(await isTurning(thread)).toBe(true);
    await commit.end();
    expect(await isTurning(thread)).toBe(false);
  });

  test("it turns on for a second commit when the first has ended", async () => {
    const thread = await paying();
    const [first, second] = [begin(thread), begin(thread)];
    await first.end();
    expect(await isTurning(thread)).toBe(true);
    await second.end();
    expect(await isTurning(thread)).toBe(false);
  });

  test("it rests after a commit that failed", async () => {
    const thread = await paying();
    await expect(thread.wait.for(1, () => Promise.reject(new Error("the disk is full")))).rejects.toThrow("full");
    expect(await isTurning(thread)).toBe(false);
  });

  test("it turns for a moment at most", async () => {
    const thread = await paying();
    begin(thread);
    expect(await isTurning(thread)).toBe(true);
    thread.clock.now += LONG_MS;
    expect(await isTurning(thread)).toBe(false);
  });

  test("it rests around a batch of many", async () => {
    const thread = await paying();
    expect(begin(thread, 100).polls).toBe(false);
    expect(await isTurning(thread)).toBe(false);
  });
});

test("where polling does not pay the loop rests", async () => {
  const thread = held();
  await commits(thread, (polls) => (polls ? 0.2 : 0.1));
  expect(begin(thread).polls).toBe(false);
  expect(await isTurning(thread)).toBe(false);
});
