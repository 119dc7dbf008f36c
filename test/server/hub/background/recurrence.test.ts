/** When cron expressions come, where clocks are put forward and back. */
import { describe, expect, test } from "vitest";
import { Recurrence } from "../../../../server/hub/background/recurrence.ts";

const times = (cron: string, zone: string, after: string, count: number) =>
  new Recurrence(cron, zone).upcoming(Date.parse(after), count).map((at) => new Date(at).toISOString().slice(0, 16));

const MINUTE = 60_000;

/** Walks on from occurrence to occurrence, asking anew at every step of so many minutes in between. */
function asked(cron: string, zone: string, from: string, to: string, everyMinutes: number): Set<number> {
  const [recurrence, seen] = [new Recurrence(cron, zone), new Set<number>()];
  for (let at = Date.parse(from); at < Date.parse(to); at += everyMinutes * MINUTE) {
    const next = recurrence.nextAfter(at) as number;
    expect(next).toBeGreaterThan(at);
    seen.add(next);
  }
  return seen;
}

describe("clocks put forward: Europe/Berlin, 29 March 2026, 02:00 is 03:00", () => {
  test("a time that does not exist comes an hour later, once", () => {
    expect(times("30 2 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z", 2)).toEqual([
      "2026-03-29T01:30", // 03:30 in Berlin
      "2026-03-30T00:30",
    ]);
  });

  test("a time that exists stays where it is on the wall", () => {
    expect(times("0 9 * * *", "Europe/Berlin", "2026-03-28T06:00:00Z", 2)).toEqual([
      "2026-03-28T08:00",
      "2026-03-29T07:00",
    ]);
  });

  test("what comes every half hour goes on every half hour", () => {
    expect(times("*/30 * * * *", "Europe/Berlin", "2026-03-29T00:15:00Z", 4)).toEqual([
      "2026-03-29T00:30",
      "2026-03-29T01:00",
      "2026-03-29T01:30",
      "2026-03-29T02:00",
    ]);
  });
});

describe("clocks put back: Europe/Berlin, 25 October 2026, 03:00 is 02:00", () => {
  test("a time that comes twice counts once, the first time", () => {
    expect(times("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z", 2)).toEqual([
      "2026-10-25T00:30",
      "2026-10-26T01:30",
    ]);
  });

  test("asked within the hour that comes again, the next time is never one that is over", () => {
    expect(times("30 2 * * *", "Europe/Berlin", "2026-10-25T01:10:00Z", 1)).toEqual(["2026-10-26T01:30"]);
    expect(times("*/10 2 * * *", "Europe/Berlin", "2026-10-25T00:55:00Z", 1)).toEqual(["2026-10-26T01:00"]);
    expect(times("*/10 2-3 * * *", "Europe/Berlin", "2026-10-25T01:10:00Z", 1)).toEqual(["2026-10-25T02:00"]);
  });

  test("what comes every half hour goes on through both", () => {
    expect(times("*/30 * * * *", "Europe/Berlin", "2026-10-25T00:15:00Z", 5)).toEqual([
      "2026-10-25T00:30",
      "2026-10-25T01:00",
      "2026-10-25T01:30",
      "2026-10-25T02:00",
      "2026-10-25T02:30",
    ]);
  });
});

describe("other places", () => {
  test("Asia/Kolkata is half an hour beside the others", () => {
    expect(times("0 9 * * *", "Asia/Kolkata", "2026-06-01T00:00:00Z", 2)).toEqual([
      "2026-06-01T03:30",
      "2026-06-02T03:30",
    ]);
    expect(times("0 * * * *", "Asia/Kolkata", "2026-06-01T00:00:00Z", 2)).toEqual([
      "2026-06-01T00:30",
      "2026-06-01T01:30",
    ]);
  });

  test("a midnight that is skipped (Africa/Cairo) or comes twice (America/Havana) counts once", () => {
    expect(times("0 0 * * *", "Africa/Cairo", "2026-04-23T00:00:00Z", 2)).toEqual([
      "2026-04-23T22:00",
      "2026-04-24T21:00",
    ]);
    expect(times("0 0 * * *", "America/Havana", "2026-11-01T00:00:00Z", 2)).toEqual([
      "2026-11-01T04:00",
      "2026-11-02T05:00",
    ]);
  });

  test("clocks that move by half an hour (Australia/Lord_Howe) repeat nothing that is named, and stop nothing", () => {
    expect(times("45 1 * * *", "Australia/Lord_Howe", "2026-04-04T14:00:00Z", 2)).toEqual([
      "2026-04-04T14:45",
      "2026-04-05T15:15",
    ]);
    expect(times("45 * * * *", "Australia/Lord_Howe", "2026-04-04T13:50:00Z", 3)).toEqual([
      "2026-04-04T14:45",
      "2026-04-04T15:15",
      "2026-04-04T16:15",
    ]);
    expect(times("10 * * * *", "Australia/Lord_Howe", "2026-10-03T14:45:00Z", 2)).toEqual([
      "2026-10-03T15:40",
      "2026-10-03T16:10",
    ]);
  });
});

test.each([
  ["*/7 * * * *", "Europe/Berlin", "2026-10-24T20:00:00Z", "2026-10-25T06:00:00Z"],
  ["*/7 1-3 * * *", "Europe/Berlin", "2026-10-24T20:00:00Z", "2026-10-25T06:00:00Z"],
  ["*/7 1-3 * * *", "Europe/Berlin", "2026-03-28T20:00:00Z", "2026-03-29T06:00:00Z"],
  ["5,50 * * * *", "Australia/Lord_Howe", "2026-10-03T10:00:00Z", "2026-10-03T20:00:00Z"],
  ["5,50 1-2 * * *", "Australia/Lord_Howe", "2026-04-04T10:00:00Z", "2026-04-04T20:00:00Z"],
])("%s in %s: however often it is asked for, the next time is ahead", (cron, zone, from, to) => {
  const walked = times(cron, zone, from, 40);
  for (const at of asked(cron, zone, from, to, 1)) {
    const text = new Date(at).toISOString().slice(0, 16);
    if (text < (walked.at(-1) as string)) expect(walked).toContain(text);
  }
});

describe("the calendar", () => {
  test.each([
    ["0 0 29 2 *", ["2028-02-29T00:00", "2032-02-29T00:00"]],
    ["0 0 31 * *", ["2026-01-31T00:00", "2026-03-31T00:00", "2026-05-31T00:00"]],
    ["0 0 L * *", ["2026-01-31T00:00", "2026-02-28T00:00"]],
    ["0 3 * * MON-FRI", ["2026-01-01T03:00", "2026-01-02T03:00", "2026-01-05T03:00"]],
    ["0 3 ? * MON", ["2026-01-05T03:00", "2026-01-12T03:00"]],
    ["0 3 1 * ?", ["2026-01-01T03:00", "2026-02-01T03:00"]],
    ["15 10 1 JAN *", ["2026-01-01T10:15", "2027-01-01T10:15"]],
  ])("%s", (cron, expected) => {
    expect(times(cron, "UTC", "2026-01-01T00:00:00Z", expected.length)).toEqual(expected);
  });

  test("the rarest day there is comes after 40 years", () => {
    expect(new Recurrence("0 0 29 2 +MON", "UTC").nextAfter(Date.UTC(2072, 1, 29))).toBe(Date.UTC(2112, 1, 29));
  });

  test("every second is the densest", () => {
    const recurrence = new Recurrence("* * * * * *", "UTC");
    const start = Date.UTC(2026, 0, 1);
    expect(recurrence.upcoming(start + 250, 2)).toEqual([start + 1_000, start + 2_000]);
  });

  test("a day that never comes has no next", () => {
    for (const never of ["0 0 30 2 *", "0 0 31 4,6,9,11 *", "0 0 1 * +MON#5"]) {
      expect(new Recurrence(never, "Europe/Berlin").nextAfter(0)).toBeNull();
    }
  });
});

test.each([
  ["61 * * * *", /^cron "61" is not a minute: 0-59; also/],
  ["* 24 * * *", /^cron "24" is not a hour/],
  ["0 0 * 13 *", /^cron "13" is not a month: 1-12, or JAN-DEC/],
  ["0 0 * * FUNDAY", /^cron "FUNDAY" is not a weekday/],
  ["99 0 0 * * *", /^cron "99" is not a second/],
  ["*/0 * * * *", /^cron "\*\/0" is not a minute/],
  ["? * * * *", /^cron "\?" is not a minute/],
  ["0 0 1,? * *", /^cron "1,\?" is not a day of the month/],
  ["* * * *", /must have 5 fields/],
  ["0 0 0 1 1 * 2030", /must have 5 fields/],
  ["@daily", /must have 5 fields/],
  ["2026-01-31T00:00:00", /must have 5 fields/],
])("%s is refused: which part, and what it may be", (cron, sentence) => {
  expect(() => new Recurrence(cron, "UTC")).toThrow(sentence);
  expect(() => new Recurrence(cron, "UTC")).toThrow(expect.objectContaining({ details: { field: "cron" } }));
});

test.each([
  ["Europe/Berlni", /timezone "Europe\/Berlni" is not an IANA time zone \(did you mean "Europe\/Berlin"\?\)/],
  ["+02:00", /is not an IANA time zone/],
  ["", /is not an IANA time zone/],
])("the zone %j is refused", (zone, sentence) => {
  expect(() => new Recurrence("* * * * *", zone)).toThrow(sentence);
});
