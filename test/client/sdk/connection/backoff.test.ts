import { expect, it } from "vitest";
import { BACKOFF, Backoff } from "../../../../client/sdk/connection/backoff.ts";
import { seededRandom } from "../../../support/random.ts";

const most = () => 1 - Number.EPSILON;

it("doubles its bound up to the cap", () => {
  const backoff = new Backoff(most);
  const bounds = Array.from({ length: 8 }, () => Math.round(backoff.next()));
  expect(bounds).toEqual([500, 1_000, 2_000, 4_000, 8_000, 16_000, 20_000, 20_000]);
});

it("starts from the base again after a reset", () => {
  const backoff = new Backoff(most);
  for (let i = 0; i < 5; i++) backoff.next();
  backoff.reset();
  expect(Math.round(backoff.next())).toBe(BACKOFF.base_ms);
});

it("does not overflow after years without a hub", () => {
  const backoff = new Backoff(most);
  for (let i = 0; i < 5_000; i++) backoff.next();
  expect(Math.round(backoff.next())).toBe(BACKOFF.cap_ms);
});

it("spreads clients over the whole time, from zero on", () => {
  const { next } = seededRandom();
  const delays = Array.from({ length: 1_000 }, () => new Backoff(next).next());
  for (let tenth = 0; tenth < 10; tenth++) {
    const within = delays.filter((ms) => ms >= tenth * 50 && ms < (tenth + 1) * 50);
    expect(within.length).toBeGreaterThan(50);
  }
});
