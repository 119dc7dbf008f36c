/** What time alone does to a task: leases, time-outs and expiry, and when the hub has to look. */
import { describe, expect, test } from "vitest";
import { withLease } from "../../../server/core/deadlines.ts";
import type { MessageState } from "../../../server/core/message.ts";
import {
  ask,
  become,
  chat,
  claim,
  claimed,
  complete,
  fail,
  failRetryable,
  HUB,
  LEASE,
  leaseEnding,
  lostRun,
  MINUTE,
  NOBODY,
  NOW,
  name,
  release,
  task,
  wake,
} from "./support.ts";

const wakeAt = (state: MessageState, at: number) => ask(state, wake, { by: HUB, at });

describe("a lease", () => {
  test("is kept while its run is connected", () => {
    expect(claimed()).toMatchObject({ lease_until: null, wake_at: null });
  });

  test("of a run without a connection lasts the grace time", () => {
    const held = become(task(), claim(), { by: lostRun("worker", "r1") });
    expect(held).toMatchObject({ lease_until: NOW + LEASE.graceMs, wake_at: NOW + LEASE.graceMs });
  });

  test.each([name("worker"), NOBODY, { ...NOBODY, run: "r1" }])(
    "of a claim without a run, or a name, is long and fixed",
    (by) => {
      const held = become(task(), claim(), { by });
      expect(held).toMatchObject({ lease_until: NOW + LEASE.detachedMs, wake_at: NOW + LEASE.detachedMs });
    },
  );

  test("moves silently, and what is to be done at its end moves along", () => {
    const ending = withLease(claimed(), NOW + MINUTE);
    expect(ending).toEqual({ ...claimed(), lease_until: NOW + MINUTE, wake_at: NOW + MINUTE });
    expect(withLease(ending, null)).toEqual(claimed());
  });

  test("that runs out gives the task back after a rest, and not a moment earlier", () => {
    const held = leaseEnding(claimed(), NOW + MINUTE);
    expect(wakeAt(held, NOW + MINUTE - 1).events).toEqual([]);
    const { next, events } = wakeAt(held, NOW + MINUTE);
    expect(events).toEqual([{ kind: "requeued", actor: null, error: "worker was gone" }]);
    expect(next).toMatchObject({ status: "pending", lease_until: null, not_before: NOW + MINUTE + 2_500, attempt: 1 });
  });

  test("that runs out on the last try ends the task", () => {
    const { next, events } = wakeAt(leaseEnding(claimed({ max_attempts: 1 }), NOW), NOW);
    expect(events).toEqual([{ kind: "failed", actor: null }]);
    expect(next).toMatchObject({ status: "failed", failure: "attempts_exhausted", error: "worker was gone" });
  });

  test("that was lengthened meanwhile does not end when it would have", () => {
    const held = { ...leaseEnding(claimed(), NOW + MINUTE), wake_at: NOW };
    expect(wakeAt(held, NOW)).toEqual({ next: { ...held, wake_at: NOW + MINUTE }, events: [] });
  });
});

describe("a time-out", () => {
  const held = claimed({ timeout_ms: 10_000 });

  test("bounds an attempt even while the lease is kept", () => {
    expect(held).toMatchObject({ lease_until: null, wake_at: NOW + 10_000 });
    expect(wakeAt(held, NOW + 9_999).events).toEqual([]);
    const { next, events } = wakeAt(held, NOW + 10_000);
    expect(events).toEqual([{ kind: "requeued", actor: null, error: "timed out after 10000 ms" }]);
    expect(next).toMatchObject({ status: "pending", tries_left: 2 });
  });

  test("counts anew from the next claim", () => {
    const again = become(become(held, release(1)), claim(), { at: NOW + MINUTE });
    expect(again.wake_at).toBe(NOW + MINUTE + 10_000);
  });

  test("is not outlived by a lengthened lease, and does not outlive a short one", () => {
    expect(withLease(held, NOW + MINUTE).wake_at).toBe(NOW + 10_000);
    expect(withLease(held, NOW + 5_000).wake_at).toBe(NOW + 5_000);
    expect(withLease(held, null).wake_at).toBe(NOW + 10_000);
  });

  test("of the last try ends the task", () => {
    const last = claimed({ timeout_ms: 1, max_attempts: 1 });
    expect(wakeAt(last, NOW + 1).next).toMatchObject({ status: "failed", failure: "attempts_exhausted" });
  });
});

describe("expiry", () => {
  const expiring = task({ expires_at: NOW + MINUTE });

  test("fails what nobody claimed in time, at that moment", () => {
    expect(expiring).toMatchObject({ claim_rank: NOW, wake_at: NOW + MINUTE });
    expect(wakeAt(expiring, NOW + MINUTE - 1).events).toEqual([]);
    const { next, events } = wakeAt(expiring, NOW + MINUTE);
    expect(events).toEqual([{ kind: "failed", actor: null }]);
    expect(next).toMatchObject({ status: "failed", failure: "expired", error: "nobody claimed it in time" });
    expect(next).toMatchObject({ completed_at: NOW + MINUTE, claim_rank: null, wake_at: null });
  });

  test("does not touch what is held, and waits for it to come back", () => {
    const held = become(expiring, claim());
    expect(held.wake_at).toBeNull();
    expect(wakeAt(held, NOW + MINUTE).events).toEqual([]);
    expect(become(held, release(1)).wake_at).toBe(NOW + MINUTE);
  });

  test("comes before being ready, when both are due", () => {
    const both = task({ not_before: NOW + MINUTE - 1, expires_at: NOW + MINUTE });
    expect(wakeAt(both, NOW + MINUTE).next).toMatchObject({ failure: "expired" });
  });

  test("of a task that also waits to be ready: the earlier of both is looked at first", () => {
    const both = task({ not_before: NOW + 10, expires_at: NOW + 20 });
    expect(both.wake_at).toBe(NOW + 10);
    expect(wakeAt(both, NOW + 10).next).toMatchObject({ wake_at: NOW + 20, claim_rank: NOW });
  });

  test("after it came back names no holder: nobody had it", () => {
    const back = become(become(expiring, claim()), release(1));
    expect(wakeAt(back, NOW + MINUTE).next).toMatchObject({ claimed_by: null, claimed_run: null, claimed_at: null });
  });
});

describe("what is over", () => {
  const held = claimed({ timeout_ms: 10_000, expires_at: NOW + MINUTE });
  const over = { complete: become(held, complete(1)), failed: become(held, fail(1)) };

  test.each(Object.entries(over))("%s: time changes nothing any more", (_status, state) => {
    expect(state).toMatchObject({ wake_at: null, lease_until: null, claim_rank: null, completed_at: NOW });
    expect(wakeAt(state, NOW + LEASE.detachedMs)).toEqual({ next: state, events: [] });
  });
});

test("looking at what is due comes to an end: nothing stays due", () => {
  const held = become(task({ timeout_ms: 10, expires_at: NOW + 15 }), claim(), { by: name("worker") });
  const resting = become(held, failRetryable(1));
  const talk = chat({ expires_at: NOW + 15 });
  for (const at of [NOW, NOW + 9, NOW + 10, NOW + 12, NOW + 15, NOW + MINUTE]) {
    for (const state of [task({ not_before: NOW + 10 }), held, resting, become(held, release(1)), talk]) {
      let looked = state;
      for (let i = 0; i < 3; i++) looked = wakeAt(looked, at).next as MessageState;
      expect(looked.wake_at ?? Number.POSITIVE_INFINITY).toBeGreaterThan(at);
    }
  }
});
