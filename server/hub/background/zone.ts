/**
 * A time zone: between instants (milliseconds since 1970) and what a clock on the wall shows there. A wall time is
 * written as the instant at which a clock in UTC shows the same.
 */
import { HubError } from "../../../shared/errors.ts";
import { didYouMean } from "../../../shared/suggest.ts";

const DAY_MS = 24 * 3600 * 1000;

/** One of each zone: their formatters are large. */
const known = new Map<string, Zone>();

export class Zone {
  readonly #formatter: Intl.DateTimeFormat;

  /** @throws HubError `invalid_params` when there is no such zone. */
  static named(name: string): Zone {
    const formatter = formatterOf(name);
    const canonical = formatter.resolvedOptions().timeZone;
    const zone = known.get(canonical) ?? new Zone(formatter);
    known.set(canonical, zone);
    return zone;
  }

  private constructor(formatter: Intl.DateTimeFormat) {
    this.#formatter = formatter;
  }

  /** How far the wall clock is ahead of UTC, ms. */
  offsetAt(instant: number): number {
    const shown: Record<string, number> = {};
    for (const { type, value } of this.#formatter.formatToParts(instant)) shown[type] = Number(value);
    const { year = 0, month = 1, day, hour, minute, second } = shown;
    return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(instant / 1000) * 1000;
  }

  wallAt(instant: number): number {
    return instant + this.offsetAt(instant);
  }

  /**
   * When the wall clock shows this for the first time. A time that is skipped, because the clock is put forward past it,
   * comes later by as much as the clock is put forward.
   */
  firstInstantOf(wall: number): number {
    const before = this.offsetAt(wall - DAY_MS);
    const after = this.offsetAt(wall + DAY_MS);
    const shownAt = [wall - before, wall - after].filter((instant) => this.wallAt(instant) === wall);
    return shownAt.length === 0 ? wall - before : Math.min(...shownAt);
  }

  /**
   * The last wall time, to the millisecond, that is shown both before and after the clock is put back.
   *
   * @param before an instant before it is put back, and `after` one afterwards, with no other change in between.
   */
  endOfRepeat(before: number, after: number): number {
    const offset = this.offsetAt(before);
    let [same, changed] = [before, after];
    while (changed - same > 1) {
      const middle = Math.floor((same + changed) / 2);
      if (this.offsetAt(middle) === offset) same = middle;
      else changed = middle;
    }
    return same + offset;
  }
}

function formatterOf(timeZone: string): Intl.DateTimeFormat {
  try {
    if (!/^[A-Za-z]/.test(timeZone)) throw new RangeError("an offset is no zone");
    return new Intl.DateTimeFormat("en-US", {
      timeZone,
      hourCycle: "h23",
      year: "numeric",
      month: "numeric",
      day: "numeric",
      hour: "numeric",
      minute: "numeric",
      second: "numeric",
    });
  } catch {
    const hint = didYouMean(timeZone, Intl.supportedValuesOf("timeZone")) || ": use a name like Europe/Berlin, or UTC";
    throw new HubError("invalid_params", `timezone ${JSON.stringify(timeZone)} is not an IANA time zone${hint}`, {
      field: "timezone",
    });
  }
}
