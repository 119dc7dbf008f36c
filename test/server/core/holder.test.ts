/** Who holds a task: a run, a name without a run, or the recipient in whose name a nameless caller acts. */
import { describe, expect, test } from "vitest";
import type { Caller } from "../../../server/core/message.ts";
import {
  become,
  claim,
  complete,
  fail,
  failRetryable,
  NOBODY,
  NOW,
  name,
  refusal,
  refused,
  release,
  requeued,
  run,
  task,
  wake,
} from "./support.ts";

const R1 = run("worker", "r1");
const R2 = run("worker", "r2");
const DETACHED = name("worker");

const ENDINGS = { complete, fail, "fail retryable": failRetryable, release };

const heldBy = (caller: Caller) => become(task(), claim(), { by: caller });

describe.each(Object.entries(ENDINGS))("%s", (_op, ending) => {
  const says = (holder: Caller, caller: Caller, attempt: number | undefined) =>
    refusal(heldBy(holder), ending(attempt), { by: caller });

  test("held by a run: only by that run, with its attempt", () => {
    expect(says(R1, R1, 1)).toBeUndefined();
    expect(says(R1, R1, undefined)).toBe("invalid_params");
    expect(says(R1, R1, 0)).toBe("lease_lost");
    expect(says(R1, R1, 2)).toBe("lease_lost");
    expect(says(R1, R2, 1)).toBe("lease_lost");
    expect(says(R1, DETACHED, 1)).toBe("lease_lost");
    expect(says(R1, DETACHED, undefined)).toBe("lease_lost");
    expect(says(R1, NOBODY, 1)).toBe("lease_lost");
    expect(says(R1, run("other", "r1"), 1)).toBe("lease_lost");
  });

  test("held by a name: by that name, whatever its run, with or without the attempt", () => {
    expect(says(DETACHED, DETACHED, undefined)).toBeUndefined();
    expect(says(DETACHED, DETACHED, 1)).toBeUndefined();
    expect(says(DETACHED, R1, undefined)).toBeUndefined();
    expect(says(DETACHED, NOBODY, undefined)).toBeUndefined();
    expect(says(DETACHED, DETACHED, 0)).toBe("lease_lost");
    expect(says(DETACHED, name("other"), undefined)).toBe("lease_lost");
    expect(says(DETACHED, name("other"), 1)).toBe("lease_lost");
  });

  test("held by nobody in particular: in the recipient's name", () => {
    expect(says(NOBODY, NOBODY, undefined)).toBeUndefined();
    expect(says(NOBODY, DETACHED, undefined)).toBeUndefined();
    expect(says(NOBODY, name("other"), undefined)).toBe("lease_lost");
  });

  test("held by another than the recipient: the recipient is nobody to it", () => {
    expect(says(name("helper"), name("helper"), undefined)).toBeUndefined();
    expect(says(name("helper"), DETACHED, undefined)).toBe("lease_lost");
    expect(says(name("helper"), NOBODY, undefined)).toBe("lease_lost");
  });
});

describe("the fence", () => {
  test("rises with every claim, and with completing what nobody claimed", () => {
    const first = heldBy(R1);
    const second = become(become(first, release(1)), claim(), { by: R2 });
    expect([task().attempt, first.attempt, second.attempt]).toEqual([0, 1, 2]);
    expect(become(task(), complete(), { by: DETACHED }).attempt).toBe(1);
  });

  test("never falls, and does not move with anything else", () => {
    const held = heldBy(R1);
    for (const state of [
      become(held, complete(1)),
      become(held, fail(1)),
      become(held, failRetryable(1)),
      become(held, release(1)),
      become({ ...held, lease_until: NOW }, wake),
    ]) {
      expect(state.attempt).toBe(1);
    }
  });

  test("shuts out an earlier attempt of the same run", () => {
    const again = become(become(heldBy(R1), release(1)), claim(), { by: R1 });
    expect(refusal(again, complete(1), { by: R1 })).toBe("lease_lost");
    expect(refusal(again, complete(2), { by: R1 })).toBeUndefined();
  });

  test("says who holds the task now, and with which attempt", () => {
    const details = { id: "id-1", status: "in_progress", attempt: 1, claimed_by: "worker" };
    expect(refused(heldBy(R1), complete(0), { by: R1 })).toMatchObject({ code: "lease_lost", details });
    expect(refused(heldBy(R1), complete(1), { by: R2 })?.message).toBe("Task is no longer yours: worker holds it");
    expect(refused(heldBy(R1), complete(), { by: R2 })?.message).toBe("Task is not yours: worker holds it");
    expect(refused(task(), complete(0))?.message).toBe("Task is no longer yours: nobody holds it");
    expect(refused(requeued(), complete(1), { by: R2 })?.message).toBe("Task is no longer yours: nobody holds it");
  });
});

describe("tries", () => {
  test("a claim uses one, giving the task back untried returns it", () => {
    const held = heldBy(R1);
    expect([task().tries_left, held.tries_left, become(held, release(1)).tries_left]).toEqual([3, 2, 3]);
  });

  test("completing what nobody claimed uses one", () => {
    expect(become(task(), complete(), { by: DETACHED }).tries_left).toBe(2);
  });

  test("when they are used up, a retryable failure is final", () => {
    const last = become(task({ max_attempts: 1 }), claim());
    expect(become(last, failRetryable(1))).toMatchObject({ status: "failed", failure: "attempts_exhausted" });
    expect(become(last, fail(1))).toMatchObject({ status: "failed", failure: "error" });
  });
});

describe("between a lease's end and the next claim", () => {
  const [R1_LATE, R2_LATE] = [{ by: R1 }, { by: R2 }];

  test("the last holder may still end the task, and nobody else may as a holder", () => {
    expect(become(requeued(), complete(1), R1_LATE)).toMatchObject({ status: "complete", attempt: 1, claimed_at: NOW });
    expect(become(requeued(), fail(1), R1_LATE)).toMatchObject({ status: "failed", failure: "error" });
    expect(refusal(requeued(), complete(1), R2_LATE)).toBe("lease_lost");
  });

  test("once it is claimed again, the last holder has lost it", () => {
    const again = become({ ...requeued(), claim_rank: 0 }, claim(), R2_LATE);
    expect(refusal(again, complete(1), R1_LATE)).toBe("lease_lost");
    expect(refusal(again, fail(1), R1_LATE)).toBe("lease_lost");
    expect(refusal(again, release(1), R1_LATE)).toBe("lease_lost");
  });

  test("someone else's ending forgets the last holder", () => {
    const ended = become(requeued(), fail(), { by: name("boss") });
    expect(ended).toMatchObject({ claimed_by: null, claimed_run: null, claimed_at: null, attempt: 1 });
  });
});
