/** Rows of coordination_messages: the same fields as in memory, times as ISO text. */
import type { Failure, MessageType, Priority, Status } from "../../../shared/message.ts";
import type { Attempt, MessageState, Progress } from "../../core/message.ts";
import { iso } from "../../iso.ts";

/** In the order of the table. */
export const COLUMNS = [
  "id",
  "from_claude",
  "to_claude",
  "task",
  "context",
  "type",
  "status",
  "result",
  "error",
  "created_at",
  "updated_at",
  "priority",
  "thread_id",
  "reply_to",
  "parent_id",
  "not_before",
  "expires_at",
  "timeout_ms",
  "max_attempts",
  "backoff_ms",
  "traceparent",
  "attempt",
  "tries_left",
  "claimed_by",
  "claimed_run",
  "claim_key",
  "claimed_at",
  "lease_until",
  "delivered_at",
  "completed_at",
  "failure",
  "seq",
  "claim_rank",
  "wake_at",
  "progress",
  "seen_at",
  "extended_until",
  "after",
  "blocked",
  "chain_id",
  "hops",
  "timeout_at",
] as const satisfies readonly (keyof MessageState)[];

/** What a new message has; the rest is absent until something happens to it. */
export const SAID = [
  "id",
  "from_claude",
  "to_claude",
  "task",
  "context",
  "type",
  "status",
  "created_at",
  "updated_at",
  "priority",
  "thread_id",
  "reply_to",
  "parent_id",
  "not_before",
  "expires_at",
  "timeout_ms",
  "max_attempts",
  "backoff_ms",
  "traceparent",
  "tries_left",
  "seq",
  "claim_rank",
  "wake_at",
  "after",
  "blocked",
  "chain_id",
  "hops",
] as const satisfies readonly (typeof COLUMNS)[number][];

/** What an update may change; the rest was said by the sender and stays. */
export const CHANGING = [
  "status",
  "result",
  "error",
  "updated_at",
  "not_before",
  "expires_at",
  "attempt",
  "tries_left",
  "claimed_by",
  "claimed_run",
  "claim_key",
  "claimed_at",
  "lease_until",
  "delivered_at",
  "completed_at",
  "failure",
  "seq",
  "claim_rank",
  "wake_at",
  "progress",
  "seen_at",
  "extended_until",
  "blocked",
  "timeout_at",
] as const satisfies readonly (typeof COLUMNS)[number][];

/** A row read as an array, in the order of COLUMNS. */
export type RawRow = (string | number | null)[];

const isoOrNull = (ms: number | null) => (ms === null ? null : iso(ms));
const msOrNull = (text: string | number | null | undefined) => (typeof text === "string" ? Date.parse(text) : null);

/** The values of SAID. */
export const toSaid = (s: MessageState): RawRow => [
  s.id,
  s.from_claude,
  s.to_claude,
  s.task,
  s.context,
  s.type,
  s.status,
  iso(s.created_at),
  iso(s.updated_at),
  s.priority,
  s.thread_id,
  s.reply_to,
  s.parent_id,
  isoOrNull(s.not_before),
  isoOrNull(s.expires_at),
  s.timeout_ms,
  s.max_attempts,
  s.backoff_ms,
  s.traceparent,
  s.tries_left,
  s.seq,
  s.claim_rank,
  s.wake_at,
  s.after === null ? null : JSON.stringify(s.after),
  s.blocked,
  s.chain_id,
  s.hops,
];

/** The values of CHANGING. */
export const toChanges = (s: MessageState): RawRow => [
  s.status,
  s.result,
  s.error,
  iso(s.updated_at),
  isoOrNull(s.not_before),
  isoOrNull(s.expires_at),
  s.attempt,
  s.tries_left,
  s.claimed_by,
  s.claimed_run,
  s.claim_key,
  isoOrNull(s.claimed_at),
  isoOrNull(s.lease_until),
  isoOrNull(s.delivered_at),
  isoOrNull(s.completed_at),
  s.failure,
  s.seq,
  s.claim_rank,
  s.wake_at,
  s.progress === null ? null : JSON.stringify(s.progress),
  isoOrNull(s.seen_at),
  isoOrNull(s.extended_until),
  s.blocked,
  isoOrNull(s.timeout_at),
];

const progressOf = (json: RawRow[number] | undefined) =>
  typeof json === "string" ? (JSON.parse(json) as Progress) : null;

export function fromRow(r: RawRow): MessageState {
  return {
    id: r[0] as string,
    from_claude: r[1] as string,
    to_claude: r[2] as string,
    task: r[3] as string,
    context: r[4] as string | null,
    type: r[5] as MessageType,
    status: r[6] as Status,
    result: r[7] as string | null,
    error: r[8] as string | null,
    created_at: Date.parse(r[9] as string),
    updated_at: Date.parse(r[10] as string),
    priority: r[11] as Priority | null,
    thread_id: r[12] as string | null,
    reply_to: r[13] as string | null,
    parent_id: r[14] as string | null,
    not_before: msOrNull(r[15]),
    expires_at: msOrNull(r[16]),
    timeout_ms: r[17] as number | null,
    max_attempts: r[18] as number,
    backoff_ms: r[19] as number,
    traceparent: r[20] as string | null,
    attempt: r[21] as number,
    tries_left: r[22] as number,
    claimed_by: r[23] as string | null,
    claimed_run: r[24] as string | null,
    claim_key: r[25] as string | null,
    claimed_at: msOrNull(r[26]),
    lease_until: msOrNull(r[27]),
    delivered_at: msOrNull(r[28]),
    completed_at: msOrNull(r[29]),
    failure: r[30] as Failure | null,
    seq: r[31] as number,
    claim_rank: r[32] as number | null,
    wake_at: r[33] as number | null,
    progress: progressOf(r[34]),
    seen_at: msOrNull(r[35]),
    extended_until: msOrNull(r[36]),
    after: typeof r[37] === "string" ? (JSON.parse(r[37]) as string[]) : null,
    blocked: r[38] as number,
    chain_id: r[39] as string | null,
    hops: r[40] as number | null,
    timeout_at: msOrNull(r[41]),
  };
}

/** A row of coordination_attempts. */
export type AttemptRow = Omit<Attempt, "claimed_at" | "ended_at" | "late"> & {
  claimed_at: string;
  ended_at: string;
  late: number;
};

export const toAttempt = ({ claimed_at, ended_at, late, ...row }: AttemptRow): Attempt => ({
  ...row,
  claimed_at: Date.parse(claimed_at),
  ended_at: Date.parse(ended_at),
  late: late === 1,
});
