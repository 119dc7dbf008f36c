import { expect, it } from "vitest";
import { type Progress, ProgressReports } from "../../../../client/sdk/work/progressReports.ts";
import { ManualClock } from "../../../support/clock.ts";

function reporting() {
  const clock = new ManualClock();
  const sent: { at: number; progress: Progress }[] = [];
  const arrivals: (() => void)[] = [];
  const begin = clock.now();
  const reports = new ProgressReports(clock, (progress) => {
    sent.push({ at: clock.now() - begin, progress });
    return new Promise((resolve) => arrivals.push(resolve));
  });
  /** The report under way arrives. */
  const arrive = async () => {
    arrivals.shift()?.();
    for (let turn = 0; turn < 5; turn++) await null;
  };
  return { clock, sent, reports, arrive, notes: () => sent.map(({ progress }) => progress.note) };
}

it("sends the first at once, then the newest, a few a second", async () => {
  const { clock, sent, reports, arrive } = reporting();
  for (let ms = 0; ms < 1_000; ms++) {
    reports.say({ percent: ms });
    await arrive();
    clock.advance(1);
  }
  expect(sent.map(({ at, progress }) => [at, progress.percent])).toEqual([
    [0, 0],
    [250, 249],
    [500, 499],
    [750, 749],
    [1_000, 999],
  ]);
});

it("has one under way at a time, however long that takes", async () => {
  const { clock, reports, arrive, notes } = reporting();
  reports.say({ note: "one" });
  reports.say({ note: "two" });
  clock.advance(10_000);
  reports.say({ note: "three" });
  expect(notes()).toEqual(["one"]);
  await arrive();
  expect(notes()).toEqual(["one", "three"]);
  await arrive();
  clock.advance(10_000);
  expect(notes()).toEqual(["one", "three"]);
});

it("sends the last one before the end, and none after it", async () => {
  const { clock, reports, arrive, notes } = reporting();
  reports.say({ note: "one" });
  reports.say({ note: "last" });
  let isOver = false;
  const over = reports.end().then(() => {
    isOver = true;
  });
  expect([notes(), isOver]).toEqual([["one", "last"], false]);
  await arrive();
  expect(isOver).toBe(false);
  await arrive();
  await over;
  reports.say({ note: "too late" });
  clock.advance(10_000);
  expect([notes(), clock.armed]).toEqual([["one", "last"], 0]);
});
