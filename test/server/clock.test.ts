import { expect, test } from "vitest";
import { awakeTime, ClockDrift } from "../../server/clock.ts";

test("time lived through: all of it, but for gaps in which nobody looked", () => {
  let steady = 7_000.4;
  const awake = awakeTime(() => steady);
  const lives = (ms: number) => {
    const before = awake();
    steady += ms;
    return awake() - before;
  };
  expect([lives(0), lives(1_000), lives(1_900)]).toEqual([0, 1_000, 1_900]);
  expect(lives(3_600_000)).toBe(2_000);
  expect(lives(1_000)).toBe(1_000);
});

test("drift: what the wall clock did beyond time lived through, since it was followed last", () => {
  const drift = new ClockDrift({ now: 60_000, awake: 0 });
  expect(drift.by({ now: 65_000, awake: 5_000 })).toBe(0);
  expect(drift.by({ now: 75_000, awake: 5_000 })).toBe(10_000);
  expect(drift.by({ now: 59_000, awake: 6_000 })).toBe(-7_000);
  drift.follow({ now: 59_000, awake: 6_000 });
  expect(drift.by({ now: 59_500, awake: 6_500 })).toBe(0);
});
