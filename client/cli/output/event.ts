/** What happens, a line each. */
import type { EventKind, HubEvent } from "../../sdk/index.ts";
import { howFar } from "./message.ts";
import type { Layout } from "./printer.ts";
import { cut } from "./table.ts";
import { clock, until } from "./time.ts";

type Told = HubEvent["message"];

interface Row {
  readonly colour: "green" | "cyan" | "yellow" | "red" | "dim" | "bold";
  /** What there is to say of it in a few words. */
  readonly says: (message: Told, now: number, actor: string | undefined) => string | undefined;
}

const nothing = () => undefined;
const byWhom = (actor: string | undefined) => actor && `by ${actor}`;
const by: Row["says"] = (_message, _now, actor) => byWhom(actor);

const ROWS: Record<EventKind, Row> = {
  new: { colour: "bold", says: ({ task, erased }) => (erased ? "(deleted)" : task) },
  claimed: { colour: "cyan", says: ({ claimed_by, attempt }) => list(claimed_by && `by ${claimed_by}`, nth(attempt)) },
  progress: { colour: "cyan", says: ({ progress }) => progress && howFar(progress) },
  completed: { colour: "green", says: ({ result }) => result },
  failed: { colour: "red", says: ({ failure, error }, _now, actor) => list(failure, error, byWhom(actor)) },
  released: { colour: "yellow", says: nothing },
  requeued: { colour: "yellow", says: ({ error, not_before }, now) => list(error, rest(not_before, now)) },
  ready: { colour: "yellow", says: nothing },
  cancelled: { colour: "red", says: ({ error }, _now, actor) => list(error, byWhom(actor)) },
  deleted: { colour: "dim", says: nothing },
  late: { colour: "red", says: ({ late_attempt, result, error }) => list(nth(late_attempt), result, error) },
  delivered: { colour: "dim", says: by },
  seen: { colour: "dim", says: by },
  acknowledged: {
    colour: "green",
    says: ({ result, error }, _now, actor) => list(byWhom(actor), result, error),
  },
};

const nth = (attempt: number | undefined) => attempt && `attempt ${attempt}`;
const rest = (notBefore: string | undefined, now: number) => notBefore && `again ${until(notBefore, now)}`;
const list = (...parts: (string | number | undefined)[]) => parts.filter(Boolean).join(", ");

const CLOCK_COLUMNS = 8;
const KIND_COLUMNS = 9;
const GAP = "  ";
const LEAST_TEXT = 24;

export function eventLine({ at, kind, actor, message, backlog }: HubEvent, { paint, width, now }: Layout): string {
  const { colour, says } = ROWS[kind];
  const name = (backlog ? "waiting" : kind).padEnd(KIND_COLUMNS);
  const place = `${message.id}${GAP}${message.from_claude} → ${message.to_claude}`;
  const taken = CLOCK_COLUMNS + KIND_COLUMNS + place.length + 3 * GAP.length;
  const text = cut(says(message, now, actor) ?? "", Math.max(LEAST_TEXT, width - taken));
  return [paint.dim(clock(at)), paint[colour](name), place, text].join(GAP).trimEnd();
}
