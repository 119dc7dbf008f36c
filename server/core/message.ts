/**
 * A message as the hub holds it: every field, times in milliseconds, absent values as null.
 *
 * Some fields are internal to the hub. `claim_rank` orders claimable tasks and is null for everything that cannot
 * be claimed now; `wake_at` is the next moment at which time alone changes the message.
 */
import type { Failure, MessageType, Priority, Status } from "../../shared/message.ts";

export interface MessageState {
  readonly id: string;
  readonly from_claude: string;
  readonly to_claude: string;
  readonly task: string;
  readonly context: string | null;
  readonly type: MessageType;
  readonly status: Status;
  readonly result: string | null;
  readonly error: string | null;
  readonly created_at: number;
  readonly updated_at: number;
  readonly priority: Priority | null;
  readonly thread_id: string | null;
  readonly reply_to: string | null;
  readonly parent_id: string | null;
  /** What must be complete before it can be claimed. */
  readonly after: readonly string[] | null;
  /** How many of those are not complete yet. */
  readonly blocked: number;
  readonly not_before: number | null;
  readonly expires_at: number | null;
  readonly timeout_ms: number | null;
  readonly max_attempts: number;
  readonly backoff_ms: number;
  readonly traceparent: string | null;
  /** The exchange that it continues, by its first message, and how many hops lead here; null: it begins one. */
  readonly chain_id: string | null;
  readonly hops: number | null;
  /** The fence. Only ever rises. */
  readonly attempt: number;
  readonly tries_left: number;
  /** The holder of the present attempt, or of the last one while the task waits for its next. */
  readonly claimed_by: string | null;
  /** Null: a detached claim, held by name and attempt. */
  readonly claimed_run: string | null;
  readonly claim_key: string | null;
  readonly claimed_at: number | null;
  /** Null while the holder's run is connected: the hub keeps the lease without writing. */
  readonly lease_until: number | null;
  /** When the present attempt times out. */
  readonly timeout_at: number | null;
  readonly delivered_at: number | null;
  readonly completed_at: number | null;
  readonly failure: Failure | null;
  readonly seq: number;
  readonly claim_rank: number | null;
  readonly wake_at: number | null;
  readonly progress: Progress | null;
  readonly seen_at: number | null;
  /** Until when the holder has extended its lease, whatever becomes of its connection. */
  readonly extended_until: number | null;
}

/** How far the holder says it has come. */
export interface Progress {
  readonly percent: number | null;
  readonly note: string | null;
  readonly at: number;
}

/** A try that ended without completing the task. */
export interface Attempt {
  readonly attempt: number;
  readonly claimed_by: string;
  readonly claimed_run: string | null;
  readonly claimed_at: number;
  readonly ended_at: number;
  readonly outcome: "released" | "requeued" | "failed" | "cancelled";
  readonly error: string | null;
  /** Whether its holder sent an outcome afterwards, which was refused and kept. */
  readonly late: boolean;
}

/** Who asks. A caller without a name may be anyone; the document lets it act for the recipient. */
export interface Caller {
  readonly claude_id: string | null;
  readonly run: string | null;
  /** Whether that run has a living connection, so that the hub keeps its leases. */
  readonly attached: boolean;
}

/** What governs claims and tries; durations in milliseconds. */
export interface LeasePolicy {
  /** How long a lease outlives the last connection of its run. */
  readonly graceMs: number;
  /** The lease of a claim without a run. */
  readonly detachedMs: number;
  /** The longest rest between two tries. */
  readonly backoffMaxMs: number;
  /** For tasks whose sender does not say; left out: the contract's defaults. */
  readonly backoffMs?: number;
  readonly maxAttempts?: number;
}

/** Everything a decision may look at besides the message and the command. */
export interface Circumstances {
  readonly caller: Caller;
  readonly now: number;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly lease: LeasePolicy;
}

/** Whether it has ended for everyone. */
export const isOver = ({ status }: Pick<MessageState, "status">) => status === "complete" || status === "failed";
