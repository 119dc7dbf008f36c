/** Messages for people: many as a table, one as a page. */
import type { Message, Status } from "../../sdk/index.ts";
import type { Look } from "./printer.ts";
import { table } from "./table.ts";
import { ago, span } from "./time.ts";

/** @param parties whose names say something in this list. */
export function messageTable(messages: readonly Message[], look: Look, parties: readonly Party[]): string {
  const columns = [...parties.map((party) => PARTIES[party]), ...COLUMNS];
  const rows = messages.map((message) => [
    message.id,
    ...columns.map(({ cell }) => cell(message, look)),
    message.task ?? "",
  ]);
  return table(["ID", ...columns.map(({ title }) => title), "TEXT"], rows, look);
}

type Party = keyof typeof PARTIES;
type Cell = (message: Message, look: Look) => string;

const PARTIES = {
  from: { title: "FROM", cell: (message) => message.from_claude },
  to: { title: "TO", cell: (message) => message.to_claude },
} as const satisfies Record<string, { title: string; cell: Cell }>;

const COLUMNS: readonly { title: string; cell: Cell }[] = [
  { title: "TYPE", cell: ({ type, priority }) => (priority && priority !== "normal" ? `${type}, ${priority}` : type) },
  { title: "STATUS", cell: (message, look) => statusCell(message, look) },
  { title: "SENT", cell: ({ created_at }, { now }) => ago(created_at, now) },
];

const STATUS_PAINT: Record<Status, "yellow" | "cyan" | "green" | "red"> = {
  pending: "yellow",
  in_progress: "cyan",
  complete: "green",
  failed: "red",
};

function statusCell({ status, claimed_by, not_before }: Message, { paint, now }: Look): string {
  const painted = paint[STATUS_PAINT[status]](status);
  if (status === "in_progress" && claimed_by) return `${painted} (${claimed_by})`;
  if (status === "pending" && not_before && Date.parse(not_before) > now) return `${painted} (${ago(not_before, now)})`;
  return painted;
}

/** All there is to know of one message. */
export function messagePage(message: Message, look: Look): string {
  const facts = FACTS.map(([title, fact]) => [title, fact(message, look)] as const).filter(([, fact]) => fact);
  const head = facts.map(([title, fact]) => `${look.paint.dim(title.padEnd(TITLE_COLUMNS))}${fact}`);
  const bodies = BODIES.filter((body) => message[body]).flatMap((body) => [
    "",
    look.paint.dim(body),
    indented(message[body] as string),
  ]);
  return [...head, "", message.task ?? look.paint.dim("(deleted)"), ...bodies].join("\n");
}

const TITLE_COLUMNS = 10;
const BODIES = ["context", "result", "error"] as const;

const indented = (body: string) => body.replace(/^/gm, "  ");

type Fact = (message: Message, look: Look) => string | number | undefined;

/** What is empty is left out. */
const FACTS: readonly (readonly [title: string, fact: Fact])[] = [
  ["id", ({ id }) => id],
  ["type", ({ type, priority }) => (priority ? `${type}, ${priority}` : type)],
  ["from", ({ from_claude, to_claude }) => `${from_claude} → ${to_claude}`],
  ["status", statusFact],
  ["sent", ({ created_at }, { now }) => ago(created_at, now)],
  ["thread", ({ thread_id }) => thread_id],
  ["reply to", ({ reply_to }) => reply_to],
  ["part of", ({ parent_id }) => parent_id],
  ["exchange", ({ chain_id, hops }) => chain_id && `${chain_id}, hop ${hops}`],
  ["not before", ({ not_before }, { now }) => not_before && `${not_before}, ${ago(not_before, now)}`],
  ["expires", ({ expires_at }, { now }) => expires_at && `${expires_at}, ${ago(expires_at, now)}`],
  ["time-out", ({ timeout_ms }) => timeout_ms && `${span(timeout_ms)} an attempt`],
  ["progress", ({ progress }, { now }) => progress && `${howFar(progress) || "told"}, ${ago(progress.at, now)}`],
  ["delivered", ({ delivered_at }, { now }) => delivered_at && ago(delivered_at, now)],
  ["seen", ({ seen_at }, { now }) => seen_at && ago(seen_at, now)],
  ["ended", ({ completed_at }, { now }) => completed_at && ago(completed_at, now)],
];

/** @example howFar({ percent: 50, note: "3 of 6" }) === "50 %, 3 of 6" */
export const howFar = ({ percent, note }: Pick<Progress, "percent" | "note">) =>
  [percent === undefined ? [] : `${percent} %`, note ?? []].flat().join(", ");

type Progress = NonNullable<Message["progress"]>;

function statusFact(message: Message, look: Look): string {
  const { attempt, tries_left, failure, lease_until, status } = message;
  const held = status === "in_progress" && lease_until ? `, lease ends ${ago(lease_until, look.now)}` : "";
  const tries = attempt ? `, attempt ${attempt}${tries_left === undefined ? "" : ` (${tries_left} left)`}` : "";
  return `${statusCell(message, look)}${failure ? `: ${failure}` : ""}${tries}${held}`;
}

/** What has become of a message, in a line. */
export function outcomeLine(message: Message, look: Look): string {
  const { id, failure } = message;
  return `${id} is ${statusCell(message, look)}${failure ? `: ${failure}` : ""}`;
}
