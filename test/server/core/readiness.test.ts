/** When a task can be claimed, in which order, and how long it rests between tries. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { MessageState } from "../../../server/core/message.ts";
import { backoff, claimRank } from "../../../server/core/readiness.ts";
import type { Priority } from "../../../shared/message.ts";
import { PRIORITIES } from "../../../shared/vocabulary.ts";
import { seed } from "../../support/random.ts";
import {
  ask,
  become,
  claim,
  claimed,
  failRetryable,
  HUB,
  kinds,
  LEASE,
  leaseEnding,
  MINUTE,
  NOW,
  refused,
  release,
  SECOND,
  task,
  wake,
} from "./support.ts";

const HOUR = 60 * MINUTE;

describe("claim order", () => {
  const goesFirst = (a: [Priority | undefined, number], b: [Priority | undefined, number]) => rank(...a) < rank(...b);
  const rank = (priority: Priority | undefined, age: number) =>
    claimRank({ priority: priority ?? null, created_at: NOW - age });

  test("of tasks of one age, the more urgent goes first", () => {
    const ranks = [...PRIORITIES].map((priority) => rank(priority, 0));
    expect(ranks).toEqual([...ranks].sort((a, b) => b - a));
    expect(new Set(ranks).size).toBe(PRIORITIES.length);
  });

  test("of tasks of one priority, the older goes first", () => {
    for (const priority of PRIORITIES) expect(goesFirst([priority, 1], [priority, 0])).toBe(true);
  });

  test("none is normal", () => {
    expect(rank(undefined, 5)).toBe(rank("normal", 5));
  });

  /** How much longer each must have waited to go before a fresh task of the next. */
  const BOUNDS = [
    ["low", "urgent", 70 * MINUTE],
    ["low", "normal", 10 * MINUTE],
    ["normal", "high", 10 * MINUTE],
    ["normal", "urgent", HOUR],
    ["high", "urgent", 50 * MINUTE],
  ] as const;

  test.each(BOUNDS)("a %s task is passed over by fresh %s ones for %i ms, and not longer", (lesser, greater, bound) => {
    expect(goesFirst([lesser, bound - 1], [greater, 0])).toBe(false);
    expect(goesFirst([lesser, bound + 1], [greater, 0])).toBe(true);
  });

  test("a task that came back keeps its place", () => {
    expect(become(claimed({ priority: "high" }), release(1)).claim_rank).toBe(rank("high", 0));
  });
});

describe("the rest between tries", () => {
  const afterTries = (failed: number, backoff_ms: number): MessageState => ({
    ...task({ max_attempts: 100, backoff_ms }),
    tries_left: 100 - failed,
  });
  const shortest = (state: MessageState) => backoff(state, LEASE, () => 0);
  const longest = (state: MessageState) => backoff(state, LEASE, () => 1 - Number.EPSILON);

  test("doubles from backoff_ms, up to the cap", () => {
    const rests = [1, 2, 3, 7, 8, 50, 99].map((failed) => longest(afterTries(failed, 5 * SECOND)) / SECOND);
    expect(rests).toEqual([5, 10, 20, 320, 600, 600, 600]);
  });

  test("is spread over the upper half", () => {
    const state = afterTries(3, 5 * SECOND);
    expect([shortest(state), backoff(state, LEASE, () => 0.5), longest(state)]).toEqual([10_000, 15_000, 20_000]);
  });

  test("lies within its bounds, whatever the numbers", () => {
    const anyCase = fc.record({
      failed: fc.integer({ min: 0, max: 100 }),
      backoff_ms: fc.integer({ min: 0, max: 366 * 24 * HOUR }),
      random: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
    });
    fc.assert(
      fc.property(anyCase, ({ failed, backoff_ms, random }) => {
        const rest = backoff(afterTries(failed, backoff_ms), LEASE, () => random);
        const full = Math.min(LEASE.backoffMaxMs, backoff_ms * 2 ** Math.max(0, failed - 1));
        expect(rest).toBeGreaterThanOrEqual(Math.floor(full / 2));
        expect(rest).toBeLessThanOrEqual(full);
        expect(Number.isSafeInteger(rest)).toBe(true);
      }),
      { seed },
    );
  });

  test("follows the tries that were used, not those given back", () => {
    const second = become(become(claimed(), release(1)), claim());
    expect(become(second, failRetryable(2), { random: 1 - Number.EPSILON }).not_before).toBe(NOW + 5 * SECOND);
  });
});

describe("a task that must wait", () => {
  const later = task({ not_before: NOW + MINUTE });

  test("cannot be claimed before, and says when", () => {
    expect(later).toMatchObject({ claim_rank: null, wake_at: NOW + MINUTE });
    expect(refused(later, claim())).toMatchObject({
      code: "not_ready",
      message: `Task is not ready before ${new Date(NOW + MINUTE).toISOString()}`,
      details: { id: "id-1", status: "pending", not_before: new Date(NOW + MINUTE).toISOString() },
    });
  });

  test("is told to be ready at that moment, not earlier", () => {
    expect(ask(later, wake, { by: HUB, at: NOW + MINUTE - 1 }).events).toEqual([]);
    const { next, events } = ask(later, wake, { by: HUB, at: NOW + MINUTE });
    expect(events).toEqual([{ kind: "ready", actor: null }]);
    expect(next).toMatchObject({ status: "pending", claim_rank: NOW, wake_at: null });
    expect(kinds(ask(next as MessageState, claim(), { at: NOW + MINUTE }))).toEqual(["claimed"]);
  });

  test("whose moment is past already waits for nothing", () => {
    expect(task({ not_before: NOW })).toMatchObject({ claim_rank: NOW, wake_at: null });
  });

  test("rests after a retryable failure, and is ready again afterwards", () => {
    const { next, events } = ask(claimed(), failRetryable(1));
    expect(events).toEqual([{ kind: "requeued", actor: "worker", error: "broken" }]);
    expect(next).toMatchObject({ status: "pending", not_before: NOW + 2_500, wake_at: NOW + 2_500, claim_rank: null });
    expect(next).toMatchObject({ tries_left: 2, attempt: 1, lease_until: null });
    expect(kinds(ask(next as MessageState, wake, { by: HUB, at: NOW + 2_500 }))).toEqual(["ready"]);
  });

  test("rests no longer when it is brought back", () => {
    const resting = become(claimed(), failRetryable(1));
    const cancelled = become(resting, { op: "cancel" }, { at: NOW + 1_000 });
    const back = become(cancelled, { op: "retry" }, { at: NOW + 2_000 });
    expect(back).toMatchObject({ not_before: NOW + 2_000, claim_rank: NOW });
  });

  test("does not rest when there is no rest to take: ready at once, and it says so", () => {
    const { next, events } = ask(claimed({ backoff_ms: 0 }), failRetryable(1));
    expect(events.map((event) => event.kind)).toEqual(["requeued", "ready"]);
    expect(next).toMatchObject({ claim_rank: NOW, wake_at: null });
  });

  test("keeps the moment that is past when there is no rest to take, as its readers do", () => {
    const [then, now] = [NOW + MINUTE, NOW + HOUR];
    const ready = become(task({ not_before: then, backoff_ms: 0 }), wake, { at: then });
    const held = become(ready, claim(), { at: now });
    expect(become(held, failRetryable(1), { at: now })).toMatchObject({ not_before: then, claim_rank: NOW });
    expect(become(leaseEnding(held, now), wake, { at: now })).toMatchObject({ not_before: then, claim_rank: NOW });
  });
});
