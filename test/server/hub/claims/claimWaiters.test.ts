/** Callers that wait for a task: no call is lost, and none is made for a task that is taken already. */
import { beforeEach, describe, expect, test } from "vitest";
import { ClaimWaiters } from "../../../../server/hub/claims/claimWaiters.ts";
import type { LogEntry } from "../../../../server/store/store.ts";
import type { EventKind } from "../../../../shared/event.ts";
import { ManualClock } from "../../../support/clock.ts";

type Tried = string | null;

let waiters: ClaimWaiters;
/** Ends of the tries that were made, in their order. */
let tries: ((tried: Tried) => void)[];
beforeEach(() => {
  waiters = new ClaimWaiters(new ManualClock());
  tries = [];
  return () => waiters.close();
});

const tryBySteps = () => new Promise<Tried>((resolve) => tries.push(resolve));

/** Waits for bob's tasks. */
function wait(key?: string, tryOnce = tryBySteps): Promise<Tried | undefined> {
  const found = (tried: Tried) => tried !== null;
  return waiters.claim({ addresses: "bob", waitMs: 1_000, gone: undefined, tryOnce, found, key });
}

/** Lets everything go on that can. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) await undefined;
}

/** Somebody's try ends, without a task or with one. */
async function end(number: number, tried: Tried): Promise<void> {
  tries[number]?.(tried);
  await settle();
}

const entry = (kind: EventKind, claimable: boolean, id = "t1"): LogEntry => ({
  seq: 1,
  kind,
  id,
  from: "ada",
  to: "bob",
  claimable,
  json: "{}",
  bodiesAt: 2,
});

test.each<[string, LogEntry[], number]>([
  ["came", [entry("new", true)], 1],
  ["came and was taken", [entry("new", true), entry("claimed", false)], 0],
  ["was taken and came back", [entry("claimed", false), entry("ready", true)], 1],
  ["came back, which was also told otherwise", [entry("ready", true), entry("acknowledged", false)], 1],
  ["was taken, and another came", [entry("new", true), entry("claimed", false), entry("new", true, "t2")], 1],
])("in a commit in which a task %s", async (_, entries, called) => {
  void wait();
  await end(0, null);
  waiters.committed(entries);
  await settle();
  expect(tries).toHaveLength(1 + called);
});

test("one who is called in place of another, whose try has failed, tries, although there was no task meanwhile", async () => {
  let fail!: (error: Error) => void;
  const failing = new Promise<Tried>((_, reject) => {
    fail = reject;
  });
  const first = wait("k1", () => failing);
  for (const key of ["k2", "k3"]) void wait(key);
  await end(0, null);
  await end(1, null);
  fail(new Error("the disk is full"));
  await expect(first).rejects.toThrow("the disk is full");
  await settle();
  expect(tries).toHaveLength(3);
});

describe("a task that is on its way", () => {
  test("calls the first, if that one has a key", async () => {
    void wait();
    void wait("k2");
    await end(0, null);
    await end(1, null);
    waiters.expect("bob");
    waiters.expect("cyd");
    await settle();
    expect(tries).toHaveLength(2);
    waiters.committed([entry("new", true)]);
    await end(2, "t1");
    waiters.expect("bob");
    await settle();
    expect(tries).toHaveLength(4);
  });

  test("calls another for each", async () => {
    const answers = ["k1", "k2", "k3"].map((key) => wait(key));
    for (const number of [0, 1, 2]) await end(number, null);
    waiters.expect("bob");
    waiters.expect("bob");
    await settle();
    await end(3, "t1");
    await end(4, "t2");
    expect(tries).toHaveLength(5);
    expect(await Promise.all(answers.slice(0, 2))).toEqual(["t1", "t2"]);
  });

  test("is not missed by one who is called while another's vain try ends", async () => {
    void wait("k1");
    void wait("k2");
    await end(1, null);
    tries[0]?.(null);
    waiters.expect("bob");
    await settle();
    expect(tries).toHaveLength(4); // the other cannot know either, and tries again
  });

  test("and does not come is waited for on", async () => {
    const answer = wait("k1");
    await end(0, null);
    waiters.expect("bob");
    await settle();
    await end(1, null);
    expect(tries).toHaveLength(2);
    waiters.committed([entry("new", true)]);
    await settle();
    await end(2, "t1");
    expect(await answer).toBe("t1");
  });
});
