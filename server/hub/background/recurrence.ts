/**
 * When a cron expression comes in a time zone.
 *
 * Where the hours are named, the wall clock counts: a time that comes twice when clocks are put back counts the first
 * time, and one that is skipped when they are put forward comes as much later. Where the hour is `*`, real time counts:
 * every five minutes stays every five minutes.
 *
 * The library reads the expression and finds matching wall times; zones are not left to it, because from within an hour
 * that comes twice it finds times that are over.
 */
import { Cron } from "croner";
import { HubError } from "../../../shared/errors.ts";
import { Zone } from "./zone.ts";

/** Of an expression with six fields; one with five has no seconds. */
const FIELDS = [
  { name: "second", takes: "0-59" },
  { name: "minute", takes: "0-59" },
  { name: "hour", takes: "0-23" },
  { name: "day of the month", takes: "1-31, or L for the last" },
  { name: "month", takes: "1-12, or JAN-DEC" },
  { name: "weekday", takes: "0-7, or SUN-SAT" },
] as const;

/** The 29th of February on a given weekday is the rarest day, where a century's end has none. */
const RAREST_YEARS = 40;

/** How often the offset may change between one occurrence and the next before the wall clock decides. */
const OFFSETS_TRIED = 4;

export class Recurrence {
  /** With its seconds. */
  readonly #cron: string;
  readonly #zone: Zone;
  readonly #isEveryHour: boolean;
  /** The expression in the years that are looked through, and the first of them. */
  #pattern: Cron | undefined;
  #year = 0;

  /** @throws HubError `invalid_params` naming the field, and the part of the expression that is wrong. */
  constructor(cron: string, timezone: string) {
    const fields = fieldsOf(cron);
    assertReadable(fields.join(" "));
    this.#cron = (fields.length === FIELDS.length ? fields : ["0", ...fields]).join(" ");
    this.#isEveryHour = fields.at(-4) === "*";
    this.#zone = Zone.named(timezone);
  }

  /** The first occurrence after `instant` (ms); null: there are no more. */
  nextAfter(instant: number): number | null {
    return (this.#isEveryHour ? this.#nextInRealTime(instant) : undefined) ?? this.#nextOnTheWall(instant);
  }

  /** The next few occurrences. */
  upcoming(instant: number, count: number): number[] {
    const times: number[] = [];
    for (let at = this.nextAfter(instant); at !== null && times.length < count; at = this.nextAfter(at)) times.push(at);
    return times;
  }

  #nextOnTheWall(instant: number): number | null {
    let wall: number | null = this.#zone.wallAt(instant);
    while (wall !== null) {
      wall = this.#nextMatch(wall);
      if (wall === null) return null;
      const first = this.#zone.firstInstantOf(wall);
      if (first > instant) return first;
      wall = Math.max(wall, this.#zone.endOfRepeat(first, instant)); // shown a second time: go on where that is over
    }
    return null;
  }

  /** By a clock that keeps its offset, and the one after that where the offset changes on the way. */
  #nextInRealTime(instant: number): number | undefined {
    let offset = this.#zone.offsetAt(instant);
    for (let tried = 0; tried < OFFSETS_TRIED; tried++) {
      const wall = this.#nextMatch(instant + offset);
      if (wall === null) return undefined;
      const there = this.#zone.offsetAt(wall - offset);
      if (there === offset) return wall - offset;
      offset = there;
    }
    return undefined;
  }

  /** The first wall time later than this that the expression means, to the second; null where there is none. */
  #nextMatch(wall: number): number | null {
    const from = new Date(wall);
    return this.#patternFrom(from.getUTCFullYear()).nextRun(from)?.getTime() ?? null;
  }

  /** A search that no year ended would look for a day that never comes in a thousand of them. */
  #patternFrom(year: number): Cron {
    if (this.#pattern === undefined || year !== this.#year) {
      this.#pattern = read(`${this.#cron} ${year}-${year + RAREST_YEARS}`);
      this.#year = year;
    }
    return this.#pattern;
  }
}

function fieldsOf(cron: string): string[] {
  const fields = cron.trim().split(/\s+/);
  if (fields.length === 5 || fields.length === 6) return fields.map(anyDay);
  throw wrong(
    `${JSON.stringify(cron)} must have 5 fields (minute hour day month weekday), or 6 with the second first; for example 0 3 * * MON-FRI`,
  );
}

/** When the day is given by the other field, other crons read `?` as `*`; the library would read a day of its own. */
const anyDay = (field: string, i: number, { length }: readonly string[]) =>
  field === "?" && (i === length - 1 || i === length - 3) ? "*" : field;

function assertReadable(cron: string): void {
  try {
    read(cron);
  } catch {
    throw wrong(whatIsWrong(cron));
  }
}

function read(cron: string): Cron {
  if (cron.includes("?")) throw new TypeError("? stands for a whole day's field only");
  return new Cron(cron, { utcOffset: 0, paused: true });
}

/** Looks for the field that is wrong also when all others are right. */
function whatIsWrong(cron: string): string {
  const fields = cron.split(" ");
  const named = FIELDS.slice(-fields.length);
  for (const [i, field] of fields.entries()) {
    try {
      read(fields.map((_, j) => (i === j ? field : "*")).join(" "));
    } catch {
      const { name, takes } = named[i] as (typeof FIELDS)[number];
      return `${JSON.stringify(field)} is not a ${name}: ${takes}; also *, lists 1,2, ranges 1-5 and steps */5`;
    }
  }
  return `${JSON.stringify(cron)} cannot be read`;
}

const wrong = (what: string) => new HubError("invalid_params", `cron ${what}`, { field: "cron" });
