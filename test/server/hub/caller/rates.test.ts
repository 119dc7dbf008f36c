/** The rate of an instance: how it is counted, whom it is asked of, and when a refusal is over. */
import { expect, test } from "vitest";
import type { Client } from "../../../../server/hub/caller/client.ts";
import { originOf } from "../../../../server/hub/caller/origin.ts";
import { DEFAULT_RATES, type RatePolicy, Rates } from "../../../../server/hub/caller/rates.ts";
import { HubError } from "../../../../shared/errors.ts";
import type { OperationName } from "../../../../shared/operations/index.ts";
import { ManualClock } from "../../../support/clock.ts";

const WINDOW_MS = 600_000; // longer than any test takes
const DAY_MS = 24 * 3_600_000;
const client = (claude_id: string | null, address = "192.0.2.1"): Client => ({
  claude_id,
  run: null,
  origin: originOf({ remoteAddress: address }),
});
const ADA = client("ada");

function newRates(policy: Partial<RatePolicy>) {
  const clock = new ManualClock();
  return { clock, rates: new Rates(clock, { ...DEFAULT_RATES, windowMs: WINDOW_MS, ...policy }) };
}

/** Asks so often, each time in a turn of its own. @returns how many were let pass. */
async function passed(rates: Rates, times: number, who = ADA, operation: OperationName = "send"): Promise<number> {
  let count = 0;
  for (let i = 0; i < times; i++) {
    if (refusal(rates, who, operation) === undefined) count++;
    await new Promise(setImmediate);
  }
  return count;
}

function refusal(rates: Rates, who = ADA, operation: OperationName = "send"): HubError | undefined {
  try {
    rates.admit(operation, who);
    return undefined;
  } catch (error) {
    if (error instanceof HubError) return error;
    throw error;
  }
}

test.each([1, 7, 100, 300])("%i changes in a window pass, and no more", async (changes) => {
  const { rates } = newRates({ changes });
  expect(await passed(rates, changes + 20)).toBe(changes);
});

test("a refusal says how much is allowed and how long to wait", async () => {
  const { rates } = newRates({ changes: 1 });
  await passed(rates, 1);
  const refused = refusal(rates);
  const retry_after_ms = refused?.details?.retry_after_ms as number;
  expect(refused?.toWire()).toEqual({
    code: "rate_limited",
    message: `No more than 1 changes in 600 s: wait ${retry_after_ms} ms`,
    details: { retry_after_ms, limit: 1, window_ms: WINDOW_MS },
  });
  expect(retry_after_ms).toBeGreaterThan(WINDOW_MS / 2);
  expect(retry_after_ms).toBeLessThanOrEqual(WINDOW_MS);
});

test("what is sent in one turn may overdraw the window; the next turn is refused", async () => {
  const { rates } = newRates({ changes: 3 });
  for (let i = 0; i < 10; i++) expect(refusal(rates)).toBeUndefined();
  await new Promise(setImmediate);
  expect(refusal(rates)?.code).toBe("rate_limited");
});

test("a refusal is over when its time is, and not when the clock is set", async () => {
  const { rates, clock } = newRates({ changes: 1 });
  await passed(rates, 1);
  for (const step of [DAY_MS, -2 * DAY_MS, DAY_MS]) {
    clock.step(step);
    expect(refusal(rates)?.details?.retry_after_ms).toBeGreaterThan(WINDOW_MS - 2_000);
  }
  clock.advance(WINDOW_MS - 1_000);
  expect(refusal(rates)?.details?.retry_after_ms).toBeLessThanOrEqual(1_000);
  clock.advance(1_000);
  expect(refusal(rates)).toBeUndefined();
});

test("reads and changes, and instances, do not use up each other's windows; who has no name goes by address", async () => {
  const { rates } = newRates({ changes: 2, reads: 3 });
  expect(await passed(rates, 5)).toBe(2);
  expect(await passed(rates, 5, ADA, "list")).toBe(3);
  expect(await passed(rates, 5, client("bob"))).toBe(2);
  expect(await passed(rates, 5, client(null))).toBe(2);
  expect(await passed(rates, 5, client(null, "192.0.2.2"))).toBe(2);
  expect(await passed(rates, 5, client("ada", "192.0.2.2"))).toBe(0);
});

test("the hub's own machine is not limited unless it is told to", async () => {
  const { rates } = newRates({ changes: 1 });
  for (const address of ["127.0.0.1", "127.8.9.1", "::1", "::ffff:127.0.0.1"]) {
    expect(await passed(rates, 3, client("ada", address))).toBe(3);
  }
  expect(await passed(rates, 3, client("ada", "::ffff:192.0.2.1"))).toBe(1);
  const strict = newRates({ changes: 1, limitsLocal: true }).rates;
  expect(await passed(strict, 3, client("ada", "127.0.0.1"))).toBe(1);
});

test("0 is no limit", async () => {
  const { rates } = newRates({ changes: 0, reads: 1 });
  expect(await passed(rates, 20)).toBe(20);
  expect(await passed(rates, 20, ADA, "stats")).toBe(1);
});

test("many other instances in between do not give an instance a new window", async () => {
  const { rates } = newRates({ changes: 2 });
  await passed(rates, 2);
  for (let i = 0; i < 10_000; i++) rates.admit("send", client(`other${i}`));
  await new Promise(setImmediate);
  refusal(rates); // forgotten here, known to the limiter
  await new Promise(setImmediate);
  expect(refusal(rates)?.code).toBe("rate_limited");
});
