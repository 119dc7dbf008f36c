import { expect, test } from "vitest";
import { ManualClock } from "./clock.ts";

test("calls what is due, at its own time and in order", () => {
  const clock = new ManualClock(1_000);
  const calls: [string, number][] = [];
  const note = (what: string) => () => void calls.push([what, clock.now()]);
  clock.after(30, note("late"));
  clock.after(10, note("early"));
  clock.after(10, note("early, second"));
  clock.after(20, () => clock.after(5, note("armed on the way")));
  clock.after(-5, note("at once"));
  const cancel = clock.after(15, note("cancelled"));
  clock.after(12, cancel);
  clock.after(31, note("not yet"));
  clock.advance(30);
  expect(calls).toEqual([
    ["at once", 1_000],
    ["early", 1_010],
    ["early, second", 1_010],
    ["armed on the way", 1_025],
    ["late", 1_030],
  ]);
  expect(clock.now()).toBe(1_030);
  expect(clock.armed).toBe(1);
});

test("stands still by itself", () => {
  const clock = new ManualClock();
  expect(clock.now()).toBe(clock.now());
  clock.after(0, () => expect.fail("nobody moved the clock"));
});

test("tells what was lived through apart from what the wall clock says", () => {
  const clock = new ManualClock(5_000);
  const due: number[] = [];
  clock.after(100, () => due.push(clock.now()));
  clock.advance(50);
  clock.step(-1_000);
  expect([clock.now(), clock.awake(), due]).toEqual([4_050, 50, []]);
  clock.stop(600);
  expect([clock.now(), clock.awake(), due]).toEqual([4_650, 50, [4_650]]);
});
