/** What is safe to ask twice, because the first answer may have been lost. */
import { describe, expect, test } from "vitest";
import {
  ask,
  become,
  claim,
  claimed,
  complete,
  fail,
  failRetryable,
  lostRun,
  NOW,
  name,
  refusal,
  release,
  requeued,
  run,
  task,
  WORKER,
} from "./support.ts";

const KEY = "k-1";
const held = become(task(), claim(KEY), { by: WORKER });

describe("a claim", () => {
  test("with its key, by its holder: the same answer, no event", () => {
    expect(ask(held, claim(KEY), { by: WORKER, at: NOW + 9 })).toEqual({ next: held, events: [] });
    expect(ask(held, claim(KEY), { by: lostRun("worker", "r1") })).toEqual({ next: held, events: [] });
  });

  test("with another key, without one, or by another run: refused", () => {
    expect(refusal(held, claim("k-2"), { by: WORKER })).toBe("wrong_status");
    expect(refusal(held, claim(), { by: WORKER })).toBe("wrong_status");
    expect(refusal(held, claim(KEY), { by: run("worker", "r2") })).toBe("wrong_status");
    expect(refusal(held, claim(KEY), { by: run("other", "r1") })).toBe("wrong_status");
    expect(refusal(claimed(), claim(), { by: WORKER })).toBe("wrong_status");
  });

  test("by update with its key: the same answer, if it says the same", () => {
    const held = become(task(), { ...claim(KEY), result: "half of it" }, { by: WORKER });
    const again = { ...claim(KEY), result: "half of it" };
    expect(ask(held, again, { by: WORKER, at: NOW + 9 })).toEqual({ next: held, events: [] });
    expect(refusal(held, { ...again, result: "all of it" }, { by: WORKER })).toBe("wrong_status");
    expect(refusal(held, { ...claim(), result: "half of it" }, { by: WORKER })).toBe("wrong_status");
  });

  test("detached, with its key: by that name", () => {
    const detached = become(task(), claim(KEY), { by: name("worker") });
    expect(ask(detached, claim(KEY), { by: name("worker") }).events).toEqual([]);
    expect(refusal(detached, claim(KEY), { by: name("other") })).toBe("wrong_status");
  });

  test("after the task came back: another claim, with another attempt", () => {
    const back = become(held, release(1));
    expect(become(back, claim(KEY))).toMatchObject({ attempt: 2, claim_key: KEY });
    expect(become(back, claim())).toMatchObject({ attempt: 2, claim_key: null });
  });
});

describe("a completion", () => {
  const done = become(held, complete(1, "42"));

  test("the identical one: the same answer, no event", () => {
    expect(ask(done, complete(1, "42"), { at: NOW + 9 })).toEqual({ next: done, events: [] });
  });

  test("with another result, by another, or with another attempt: refused", () => {
    expect(refusal(done, complete(1, "43"))).toBe("wrong_status");
    expect(refusal(done, complete(1, "42"), { by: run("worker", "r2") })).toBe("wrong_status");
    expect(refusal(done, complete(0, "42"))).toBe("lease_lost");
    expect(refusal(done, { op: "complete", attempt: 1 })).toBe("wrong_status");
  });

  test("without a claim before, by name: the identical one again", () => {
    const direct = become(task(), complete(undefined, "42"), { by: name("worker") });
    expect(ask(direct, complete(undefined, "42"), { by: name("worker") }).events).toEqual([]);
    expect(refusal(direct, complete(undefined, "43"), { by: name("worker") })).toBe("wrong_status");
    expect(refusal(direct, complete(undefined, "42"), { by: name("other") })).toBe("wrong_status");
  });
});

describe("a failure", () => {
  const failed = become(held, fail(1, "no"));

  test("the identical one: the same answer, no event", () => {
    expect(ask(failed, fail(1, "no"))).toEqual({ next: failed, events: [] });
  });

  test("with another error, by another, or with another attempt: refused", () => {
    expect(refusal(failed, fail(1, "yes"))).toBe("wrong_status");
    expect(refusal(failed, fail(1, "no"), { by: run("worker", "r2") })).toBe("wrong_status");
    expect(refusal(failed, fail(0, "no"))).toBe("lease_lost");
  });

  test("with another result, as an update can give it: refused", () => {
    const told = become(held, { ...fail(1, "no"), result: "half of it" });
    expect(ask(told, { ...fail(1, "no"), result: "half of it" })).toEqual({ next: told, events: [] });
    expect(refusal(told, { ...fail(1, "no"), result: "all of it" })).toBe("wrong_status");
    expect(refusal(told, fail(1, "no"))).toBe("wrong_status");
    expect(refusal(failed, { ...fail(1, "no"), result: "half of it" })).toBe("wrong_status");
  });

  test("of a task that nobody ever held, nobody can repeat", () => {
    const direct = become(task(), fail(undefined, "no"), { by: name("worker") });
    expect(refusal(direct, fail(undefined, "no"), { by: name("worker") })).toBe("wrong_status");
  });

  test("a retryable one, asked again while the task rests: that it is the same is for the record of tries to tell", () => {
    expect(refusal(requeued(), failRetryable(1))).toBe("wrong_status");
    const resting = become(become(task(), claim(), { by: name("worker") }), failRetryable(), { by: name("worker") });
    expect(refusal(resting, failRetryable(), { by: name("worker") })).toBe("wrong_status");
  });
});
