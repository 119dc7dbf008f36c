import { expect, it } from "vitest";
import { Timetable } from "../../../../client/sdk/connection/timetable.ts";
import { CLOSE, LIVENESS } from "../../../../shared/index.ts";
import { ManualClock } from "../../../support/clock.ts";

/** A timetable under a held clock, and what it called for. */
function setUp() {
  const clock = new ManualClock();
  const calls: string[] = [];
  const timetable = new Timetable(clock, () => 0.5, {
    due: () => calls.push("due"),
    pollDue: () => calls.push("pollDue"),
    slow: () => calls.push("slow"),
  });
  return { clock, calls, timetable };
}

const BROKEN = { code: 1006, reason: "the connection broke" };

it("waits longer after every loss", () => {
  const { timetable } = setUp();
  const waits = Array.from({ length: 3 }, () => {
    timetable.schedule(BROKEN);
    return timetable.waitMs;
  });
  expect(waits).toEqual([250, 500, 1_000]);
});

it("comes back within the time that the hub named, even when the close code was lost", () => {
  const { clock, calls, timetable } = setUp();
  timetable.notice = { ...CLOSE.restarting, reconnect_within_ms: 1_234 };
  timetable.schedule(BROKEN);
  expect(timetable.waitMs).toBe(617);
  clock.advance(616);
  expect(calls).toEqual([]);
  clock.advance(1);
  expect(calls).toEqual(["due"]);
  timetable.schedule(BROKEN);
  expect(timetable.waitMs).toBe(250);
});

it("spreads over a time of its own when only the close code came through", () => {
  const { timetable } = setUp();
  timetable.schedule(CLOSE.restarting);
  expect(timetable.waitMs).toBe(LIVENESS.reconnect_spread_ms / 2);
});

it("begins from the base after a line that held, and not after one that broke at once", () => {
  const { clock, timetable } = setUp();
  const wait = (heldMs: number) => {
    timetable.serves();
    clock.advance(heldMs);
    timetable.ends();
    timetable.schedule(BROKEN);
    return timetable.waitMs;
  };
  expect([wait(4_999), wait(4_999), wait(5_000)]).toEqual([250, 500, 250]);
});

it("has the fallback tried again after waits of their own, from the base again after a line that held", () => {
  const { clock, calls, timetable } = setUp();
  for (let i = 0; i < 5; i++) timetable.schedule(BROKEN);
  for (const waitMs of [250, 500, 1_000]) {
    timetable.pollLater();
    clock.advance(waitMs - 1);
    expect(calls.splice(0)).toEqual([]);
    clock.advance(1);
    expect(calls.splice(0)).toEqual(["pollDue"]);
  }
  timetable.serves();
  clock.advance(5_000);
  timetable.ends();
  timetable.pollLater();
  clock.advance(250);
  expect(calls.at(-1)).toBe("pollDue");
});

it("calls an attempt slow once, and not when a line serves meanwhile", () => {
  const { clock, calls, timetable } = setUp();
  timetable.begin();
  clock.advance(60_000);
  timetable.begin();
  timetable.serves();
  clock.advance(60_000);
  expect(calls).toEqual(["slow"]);
});

it("arms nothing any more once it is stopped", () => {
  const { clock, timetable } = setUp();
  timetable.begin();
  timetable.schedule(BROKEN);
  timetable.pollLater();
  timetable.stop();
  expect(clock.armed).toBe(0);
});
