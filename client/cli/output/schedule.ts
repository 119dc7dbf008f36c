/** Schedules for people: many as a table, one as a page with its next times on its own clock. */
import type { Schedule } from "../../../shared/index.ts";
import { factLines } from "./facts.ts";
import type { Layout } from "./printer.ts";
import { table } from "./table.ts";
import { ago } from "./time.ts";

export function scheduleTable(schedules: readonly Schedule[], layout: Layout): string {
  const rows = schedules.map((schedule) => [
    schedule.name,
    schedule.cron,
    schedule.timezone,
    schedule.message.to_claude,
    schedule.next_at === undefined ? layout.paint.dim("paused") : ago(schedule.next_at, layout.now),
    lastCell(schedule, layout),
    schedule.message.task,
  ]);
  return table(["NAME", "CRON", "ZONE", "TO", "NEXT", "LAST", "TEXT"], rows, layout);
}

function lastCell({ last_at, skipped_at }: Schedule, { paint, now }: Layout): string {
  const isSkipped = skipped_at !== undefined && (last_at === undefined || skipped_at > last_at);
  if (isSkipped) return paint.yellow(`skipped ${ago(skipped_at, now)}`);
  return last_at === undefined ? "-" : ago(last_at, now);
}

export function schedulePage(schedule: Schedule, layout: Layout): string {
  const { paint } = layout;
  const facts = FACTS.map(([title, fact]) => [title, fact(schedule, layout)] as const);
  const times = (schedule.upcoming ?? []).map((at) => `  ${onTheWall(at, schedule.timezone)}  ${ago(at, layout.now)}`);
  const upcoming = times.length === 0 ? [] : ["", paint.dim(`next, in ${schedule.timezone}`), ...times];
  return [...factLines(facts, layout), ...upcoming, "", schedule.message.task].join("\n");
}

const UNLESS_ENDED = "is skipped while the message before has not ended";
const UNLESS_TAKEN = "is skipped only while the message before waits untaken";

type Fact = (schedule: Schedule, layout: Layout) => string | undefined;

const FACTS: readonly (readonly [title: string, fact: Fact])[] = [
  ["name", ({ name, enabled }, { paint }) => (enabled ? name : `${name} ${paint.yellow("(paused)")}`)],
  ["cron", ({ cron, timezone }) => `${cron}, ${timezone}`],
  ["from", ({ message }) => `${message.from_claude} → ${message.to_claude}`],
  ["missed", ({ missed }) => (missed === "once" ? "is made up once" : "is skipped")],
  ["overlap", ({ overlap }) => (overlap === "skip" ? UNLESS_ENDED : UNLESS_TAKEN)],
  ["last", ({ last_at, last_id }, { now }) => last_at && `${last_id}, ${ago(last_at, now)}`],
  [
    "skipped",
    ({ skipped_at, skipped_because }, { now }) => skipped_at && `${ago(skipped_at, now)}: ${skipped_because}`,
  ],
];

/** A time on the clock of a zone: `Mon, 2026-11-23 03:00:00`; in UTC where this machine does not know the zone. */
function onTheWall(time: string, timeZone: string): string {
  const at = new Date(time);
  try {
    const day = new Intl.DateTimeFormat("en-GB", { timeZone, weekday: "short" }).format(at);
    return `${day}, ${new Intl.DateTimeFormat("sv-SE", { timeZone, dateStyle: "short", timeStyle: "medium" }).format(at)}`;
  } catch {
    return time;
  }
}
