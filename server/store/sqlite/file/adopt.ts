/**
 * Taking over a coordination_messages table in the document's own shape, with all its rows. The old table is
 * set aside, the new one made, the rows copied, the old one dropped: all in the migration's transaction. An old
 * table with columns of the application's own is kept under its other name, so that nothing is lost. Names are kept as
 * they are, whatever they hold; an id by which a row could not be found is replaced, and a status that nobody knows has failed.
 */
import type Database from "better-sqlite3";
import { ADDRESS_PATTERN, NAME_PATTERN } from "../../../../shared/addressing.ts";
import { LEASES, TASK_DEFAULTS } from "../../../../shared/defaults.ts";
import { LIMITS } from "../../../../shared/limits.ts";
import type { Status } from "../../../../shared/message.ts";
import { STATUSES, TYPES } from "../../../../shared/vocabulary.ts";
import { isOver } from "../../../core/message.ts";
import { makeIds } from "../../engine/ids.ts";
import { COLUMNS } from "../tables/rows.ts";

const TABLE = "coordination_messages";
const ASIDE = "coordination_messages_before";

/** The columns of the document. */
const DOCUMENTED = new Set(COLUMNS.slice(0, COLUMNS.indexOf("updated_at") + 1) as readonly string[]);

interface OldRow {
  [column: string]: unknown;
}

/** Renames a table of our name that is not ours. @returns whether there was one. */
export function setAsideDocumentTable(db: Database.Database): boolean {
  const columns = db.pragma(`table_info(${TABLE})`) as { name: string }[];
  if (columns.length === 0) return false;
  for (const index of namesOf(db, "index", TABLE)) db.exec(`DROP INDEX "${index.replaceAll('"', '""')}"`);
  db.exec(`ALTER TABLE ${TABLE} RENAME TO ${ASIDE}`);
  return true;
}

const namesOf = (db: Database.Database, type: "index" | "trigger", table: string) =>
  db
    .prepare("SELECT name FROM sqlite_master WHERE type = ? AND tbl_name = ? AND sql IS NOT NULL")
    .pluck()
    .all(type, table) as string[];

/**
 * Copies the rows of the table that was set aside, the oldest first, and drops it if it held nothing else.
 *
 * @returns what whoever runs the hub should know, as sentences.
 */
export function adoptDocumentTable(db: Database.Database, now: number): string[] {
  const insert = db.prepare(
    `INSERT INTO coordination_messages (id, from_claude, to_claude, task, context, type, status, result, error,
       created_at, updated_at, attempt, tries_left, claimed_by, claimed_at, lease_until, completed_at, claim_rank, wake_at)
     VALUES (:id, :from_claude, :to_claude, :task, :context, :type, :status, :result, :error,
       :created_at, :updated_at, :attempt, :tries_left, :claimed_by, :claimed_at, :lease_until, :completed_at,
       :claim_rank, :wake_at)`,
  );
  const old = db.prepare(`SELECT * FROM ${ASIDE}`);
  const found = old.all() as OldRow[];
  const rows = found.map((row) => adopted(row, now)).sort((a, b) => a.created_at.localeCompare(b.created_at));
  const notes = [
    ...replaceIds(rows, now),
    ...unaddressable(rows),
    ...oddStatuses(found),
    ...triggersGone(namesOf(db, "trigger", ASIDE)),
  ];
  for (const row of rows) insert.run(row);
  if (old.columns().every(({ name }) => DOCUMENTED.has(name))) db.exec(`DROP TABLE ${ASIDE}`);
  return notes;
}

type AdoptedRow = ReturnType<typeof adopted>;

const TAKEN_OVER = `the table ${TABLE} of the original API was taken over`;

/** None at all, and what paths lose on their way. */
const UNREACHABLE: ReadonlySet<string> = new Set(["", ".", ".."]);

/** Gives a new id to rows that could not be found by theirs: it is missing, too long, or that of an older row. */
function replaceIds(rows: readonly AdoptedRow[], now: number): string[] {
  const [newId, ids] = [makeIds(), new Set<string>()];
  let replaced = 0;
  for (const row of rows) {
    if (UNREACHABLE.has(row.id) || row.id.length > LIMITS.name_chars || ids.has(row.id)) {
      row.id = newId(now);
      replaced++;
    }
    ids.add(row.id);
  }
  const why = `had no id or one that no path can hold, one longer than ${LIMITS.name_chars} characters or that of another, and got a new one`;
  return replaced === 0 ? [] : [`${TAKEN_OVER}: ${replaced} of its ${rows.length} rows ${why}`];
}

function unaddressable(rows: readonly AdoptedRow[]): string[] {
  const count = rows.filter((row) => !hasNames(row)).length;
  const what = "names that no new message can have: they can be listed, done and deleted, but not written to";
  return count === 0 ? [] : [`${TAKEN_OVER}: ${count} of its ${rows.length} rows have ${what}`];
}

const hasNames = ({ from_claude, to_claude }: AdoptedRow) =>
  fits(from_claude, NAME_PATTERN) && fits(to_claude, ADDRESS_PATTERN);

const fits = (name: string, pattern: RegExp) => name.length <= LIMITS.name_chars && pattern.test(name);

function oddStatuses(found: readonly OldRow[]): string[] {
  const odd = found.filter(({ status }) => statusOf(status) === undefined);
  const words = [...new Set(odd.map(({ status }) => textOf(status)))].slice(0, 5).join(", ");
  const what = `a status that no message has (${words}): they count as failed`;
  return odd.length === 0 ? [] : [`${TAKEN_OVER}: ${odd.length} of its ${found.length} rows have ${what}`];
}

const triggersGone = (names: readonly string[]) =>
  names.length === 0 ? [] : [`${TAKEN_OVER}, and these triggers on it are no longer run: ${names.join(", ")}`];

/** An old row in the new shape. */
function adopted(old: OldRow, now: number) {
  const type = oneOf(TYPES, old.type, "task");
  const known = statusOf(old.status);
  const status = known ?? "failed";
  const created = moment(old.created_at);
  const updated = moment(old.updated_at ?? old.created_at);
  const to = textOf(old.to_claude);
  return {
    id: textOf(old.id),
    from_claude: textOf(old.from_claude),
    to_claude: to,
    task: textOf(old.task),
    context: textOrNull(old.context),
    type,
    status,
    result: textOrNull(old.result),
    error: textOrNull(old.error) ?? (known ? null : `its status was ${textOf(old.status)}`),
    created_at: created.toISOString(),
    updated_at: updated.toISOString(),
    ...(type === "task" ? adoptedAttempt(status, to, updated, now) : NO_ATTEMPT),
    completed_at: isOver({ status }) ? updated.toISOString() : null,
    claim_rank: status === "pending" && type === "task" ? created.getTime() : null,
  };
}

const STATUS_OF: ReadonlyMap<string, Status> = new Map([
  ...STATUSES.map((status) => [status, status] as const),
  ["", "pending"],
  ["completed", "complete"],
  ["done", "complete"],
]);

/** However it is written. @returns undefined for one that nobody knows: that is no work to be done once more. */
const statusOf = (said: unknown) => STATUS_OF.get(textOf(said).trim().toLowerCase().replace(/[\s-]/g, "_"));

const NO_ATTEMPT = {
  attempt: 0,
  tries_left: TASK_DEFAULTS.max_attempts,
  claimed_by: null,
  claimed_at: null,
  lease_until: null,
  wake_at: null,
};

/** A task in progress is held in its recipient's name, as any claim without a run. */
function adoptedAttempt(status: Status, to: string, updated: Date, now: number) {
  if (status === "pending") return NO_ATTEMPT;
  const tried = {
    attempt: 1,
    tries_left: TASK_DEFAULTS.max_attempts - 1,
    claimed_by: to,
    claimed_at: updated.toISOString(),
  };
  if (status !== "in_progress") return { ...tried, lease_until: null, wake_at: null };
  const until = now + LEASES.detached_ms;
  return { ...tried, lease_until: new Date(until).toISOString(), wake_at: until };
}

const textOf = (value: unknown) => (value === null || value === undefined ? "" : String(value));
const textOrNull = (value: unknown) => (value === null || value === undefined ? null : String(value));
const oneOf = <T extends string>(known: readonly T[], value: unknown, otherwise: T): T =>
  known.find((candidate) => candidate === value) ?? otherwise;

/** ISO 8601, SQLite's `YYYY-MM-DD HH:MM:SS`, or a number; 1970 if it is no time. Without a zone it is UTC. */
function moment(value: unknown): Date {
  const said = textOf(value);
  const date = new Date(/^\d+(\.\d+)?$/.test(said) ? millisecondsOf(Number(said)) : zoned(said));
  return date.getTime() <= LAST_MS ? date : new Date(0);
}

const LAST_MS = Date.UTC(9999, 11, 31);

/** From seconds, milli-, micro- or nanoseconds since 1970, told apart by their size. */
function millisecondsOf(count: number): number {
  if (count < 1e11) return count * 1e3;
  if (count < 1e14) return count;
  return count < 1e17 ? count / 1e3 : count / 1e6;
}

function zoned(said: string): string {
  const hasZone = /(Z|[+-]\d{2}:?\d{2})$/i.test(said) || !said.includes(":");
  return said.replace(" ", "T") + (hasZone ? "" : "Z");
}
