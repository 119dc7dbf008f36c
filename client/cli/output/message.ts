/** Messages for people: many as a table, one as a page. */
import { TASK_DEFAULTS } from "../../../shared/index.ts";
import type { Message, Status } from "../../sdk/index.ts";
import type { OpenDependencies } from "../messages/openDependencies.ts";
import { factLines } from "./facts.ts";
import type { Layout } from "./printer.ts";
import { cut, table } from "./table.ts";
import { ago, span, until } from "./time.ts";

const NONE_OPEN: OpenDependencies = new Map();

/** @param parties whose names say something in this list. */
export function messageTable(
  messages: readonly Message[],
  layout: Layout,
  parties: readonly Party[],
  open = NONE_OPEN,
): string {
  const columns = [...parties.map((party) => PARTIES[party]), ...COLUMNS];
  const rows = messages.map((message) => [
    message.id,
    ...columns.map(({ cell }) => cell(message, layout, open)),
    message.task ?? "",
  ]);
  return table(["ID", ...columns.map(({ title }) => title), "TEXT"], rows, layout);
}

/** Tasks that ran out of tries, with what the last one ended with. */
export function deadTable(messages: readonly Message[], layout: Layout): string {
  const rows = messages.map(({ id, from_claude, to_claude, max_attempts, completed_at, error, task }) => [
    id,
    from_claude,
    to_claude,
    `${max_attempts ?? TASK_DEFAULTS.max_attempts}`,
    completed_at ? ago(completed_at, layout.now) : "",
    cut(error ?? "", ERROR_COLUMNS),
    task,
  ]);
  return table(["ID", "FROM", "TO", "TRIES", "ENDED", "ERROR", "TEXT"], rows, layout);
}

const ERROR_COLUMNS = 40;

type Party = keyof typeof PARTIES;
type Cell = (message: Message, layout: Layout, open: OpenDependencies) => string;

const PARTIES = {
  from: { title: "FROM", cell: (message) => message.from_claude },
  to: { title: "TO", cell: (message) => message.to_claude },
} as const satisfies Record<string, { title: string; cell: Cell }>;

const COLUMNS: readonly { title: string; cell: Cell }[] = [
  { title: "TYPE", cell: ({ type, priority }) => (priority && priority !== "normal" ? `${type}, ${priority}` : type) },
  { title: "STATUS", cell: (message, layout, open) => statusCell(message, layout, open) },
  { title: "SENT", cell: ({ created_at }, { now }) => ago(created_at, now) },
];

const STATUS_PAINT: Record<Status, "yellow" | "cyan" | "green" | "red"> = {
  pending: "yellow",
  in_progress: "cyan",
  complete: "green",
  failed: "red",
};

function statusCell(message: Message, { paint, now }: Layout, open = NONE_OPEN): string {
  const { id, status, claimed_by, not_before, failure } = message;
  const painted = paint[STATUS_PAINT[status]](status);
  if (status === "in_progress" && claimed_by) return `${painted} (${claimed_by})`;
  if (status === "failed" && failure) return `${painted}: ${failure}`;
  if (status !== "pending") return painted;
  const rests = not_before && Date.parse(not_before) > now ? ` (${until(not_before, now)})` : "";
  return `${painted}${rests}${waitsFor(open.get(id))}`;
}

/** @example waitsFor(["a", "b", "c"]) === ", waits for a and 2 more" */
function waitsFor([first, ...others]: readonly string[] = []): string {
  if (first === undefined) return "";
  return `, waits for ${first}${others.length > 0 ? ` and ${others.length} more` : ""}`;
}

/** All there is to know of one message. */
export function messagePage(message: Message, layout: Layout, open = NONE_OPEN): string {
  const facts = FACTS.map(([title, fact]) => [title, fact(message, layout, open)] as const);
  const bodies = BODIES.filter((body) => message[body]).flatMap((body) => [
    "",
    layout.paint.dim(body),
    indented(message[body] as string),
  ]);
  return [...factLines(facts, layout), "", message.task ?? layout.paint.dim("(deleted)"), ...bodies].join("\n");
}

const BODIES = ["context", "result", "error"] as const;

const indented = (body: string) => body.replace(/^/gm, "  ");

type Fact = (message: Message, layout: Layout, open: OpenDependencies) => string | number | false | undefined;

const FACTS: readonly (readonly [title: string, fact: Fact])[] = [
  ["id", ({ id }) => id],
  ["type", ({ type, priority }) => (priority ? `${type}, ${priority}` : type)],
  ["from", ({ from_claude, to_claude }) => `${from_claude} → ${to_claude}`],
  ["status", statusFact],
  ["sent", ({ created_at }, { now }) => ago(created_at, now)],
  ["thread", ({ thread_id }) => thread_id],
  ["reply to", ({ reply_to }) => reply_to],
  ["part of", ({ parent_id }) => parent_id],
  ["after", ({ after }) => after?.join(", ")],
  ["exchange", ({ chain_id, hops }) => chain_id && `${chain_id}, hop ${hops}`],
  ["trace", ({ traceparent }) => traceparent],
  ["not before", ({ not_before }, { now }) => not_before && `${not_before}, ${ago(not_before, now)}`],
  ["expires", ({ expires_at }, { now }) => expires_at && `${expires_at}, ${ago(expires_at, now)}`],
  ["time-out", ({ timeout_ms }) => timeout_ms && `${span(timeout_ms)} an attempt`],
  ["tries", ({ max_attempts: most }) => most !== TASK_DEFAULTS.max_attempts && most && `at most ${most}`],
  ["back-off", ({ backoff_ms: ms }) => ms !== undefined && ms !== TASK_DEFAULTS.backoff_ms && backOff(ms)],
  ["progress", ({ progress }, { now }) => progress && `${howFar(progress) || "told"}, ${ago(progress.at, now)}`],
  ["delivered", ({ delivered_at }, { now }) => delivered_at && ago(delivered_at, now)],
  ["seen", ({ seen_at }, { now }) => seen_at && ago(seen_at, now)],
  ["ended", ({ completed_at }, { now }) => completed_at && ago(completed_at, now)],
];

const backOff = (ms: number) => (ms === 0 ? "none" : `${span(ms)} after the first failed try, then longer`);

/** @example howFar({ percent: 50, note: "3 of 6" }) === "50 %, 3 of 6" */
export const howFar = ({ percent, note }: Pick<Progress, "percent" | "note">) =>
  [percent === undefined ? [] : `${percent} %`, note ?? []].flat().join(", ");

type Progress = NonNullable<Message["progress"]>;

function statusFact(message: Message, layout: Layout, open: OpenDependencies): string {
  const { attempt, tries_left, lease_until, status } = message;
  const held = status === "in_progress" && lease_until ? `, lease ends ${ago(lease_until, layout.now)}` : "";
  const tries = attempt ? `, attempt ${attempt}${tries_left === undefined ? "" : ` (${tries_left} left)`}` : "";
  return `${statusCell(message, layout, open)}${tries}${held}`;
}

/** Until when the claim on a task is safe. */
export function leaseLine(message: Message, layout: Layout): string {
  const { lease_until: until } = message;
  return `${outcomeLine(message, layout)}${until ? `, safe until ${until}, ${ago(until, layout.now)}` : ""}`;
}

/** What has become of a message, in a line. */
export const outcomeLine = (message: Message, layout: Layout) => `${message.id} is ${statusCell(message, layout)}`;
