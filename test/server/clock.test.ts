import { expect, test } from "vitest";
import { awakeTime } from "../../server/clock.ts";

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
