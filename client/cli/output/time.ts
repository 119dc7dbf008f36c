/** Times and durations as people read them. */

const UNITS = [
  { name: "d", ms: 86_400_000 },
  { name: "h", ms: 3_600_000 },
  { name: "min", ms: 60_000 },
  { name: "s", ms: 1_000 },
] as const;

/** @example span(21_700_000) === "6 h" */
export function span(ms: number): string {
  const unit = UNITS.find((candidate) => ms >= candidate.ms);
  if (unit) return `${Math.floor(ms / unit.ms)} ${unit.name}`;
  return ms > 0 ? `${Math.ceil(ms)} ms` : "0 s";
}

/** A duration as the command line takes it. @example written(86_400_000) === "1d" */
export function written(ms: number): string {
  const [unit, each] = WRITTEN.find(([, size]) => ms % size === 0) as readonly [string, number];
  return `${ms / each}${unit}`;
}

const WRITTEN = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["m", 60_000],
  ["s", 1_000],
  ["ms", 1],
] as const;

/** How long ago a time was, or how far ahead it is. */
export function ago(time: string, now: number): string {
  const ms = now - Date.parse(time);
  if (ms <= -1_000) return until(time, now);
  return ms < 1_000 ? "now" : `${span(ms)} ago`;
}

/** How far ahead a time is, in whole seconds: one that is to come is never now. */
export const until = (time: string, now: number) => `in ${span(Math.ceil((Date.parse(time) - now) / 1_000) * 1_000)}`;

/** How long something has lasted, in whole seconds. */
export const since = (time: string, now: number) =>
  span(Math.max(0, Math.floor((now - Date.parse(time)) / 1_000) * 1_000));

/** The time of day here: `10:30:00`. */
export function clock(time: string): string {
  const at = new Date(time);
  return [at.getHours(), at.getMinutes(), at.getSeconds()].map((part) => `${part}`.padStart(2, "0")).join(":");
}
