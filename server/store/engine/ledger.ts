/** The tables as the engine sees them. Everything here runs inside the batch's transaction, and at once. */
import type { EventKind } from "../../../shared/event.ts";
import type { Attempt, MessageState } from "../../core/message.ts";
import type { Receipt } from "../../core/receipt.ts";
import type { Counts, PresenceTransition } from "../store.ts";
import type { RetentionLedger } from "./retention.ts";
import type { ScheduleTable } from "./schedules.ts";
import type { TemplateTable } from "./templates/table.ts";

/** One log entry as it is kept: bodies that the message itself holds are not kept twice. */
export interface StoredEntry {
  seq: number;
  kind: EventKind;
  id: string;
  from: string;
  to: string;
  /** The event as JSON, up to where its bodies go. */
  envelope: string;
  /** Bodies that only the log holds; null when there are none, or the message holds them. */
  bodies: string | null;
}

export interface RememberedKey {
  id: string;
  fingerprint: string;
}

/** A holder as the tables know it; run null: detached. */
export interface HolderKey {
  claude_id: string;
  run: string | null;
}

/** Which message waits for which others. */
export interface Waits {
  /** Whether any waits at all: in most hubs, none ever does. */
  readonly any: boolean;
  /** A message waits for others that are not complete. */
  add(id: string, awaited: readonly string[]): void;
  /** A message waits for nothing any more. */
  drop(id: string): void;
  /** How many wait for one. */
  count(awaited: string): number;
  /** Those that wait for one; from here on they do not. */
  take(awaited: string): string[];
  /** All that are waited for. */
  awaited(): string[];
}

/** How far chats to everyone have come with each of those they are for. */
export interface ReceiptTable {
  /**
   * Opens one for each instance but the sender that is there or was seen since a time, at most `limit`: those that are
   * online first, then by last seen.
   */
  open(id: string, sender: string, since: number, limit: number): void;
  /** The receipt of one recipient. */
  of(id: string, recipient: string): Receipt | undefined;
  put(id: string, receipt: Receipt): void;
  count(id: string): number;
  /** Whether somebody who is waited for has not acknowledged yet. */
  isOpen(id: string): boolean;
  /** Whether somebody who is waited for does not have it yet. */
  isUndelivered(id: string): boolean;
  /** All of a message, by recipient. */
  all(id: string): Receipt[];
  /** At most `limit` of one recipient that are waited for and not acknowledged, with the messages' ids. */
  awaited(recipient: string, limit: number): [id: string, receipt: Receipt][];
}

/** What the tables know of the clock. */
export interface ClockTable {
  /** The wall clock as it was noted last; null: never. */
  noted(): number | null;
  note(now: number): void;
  /** Tasks with a deadline that measures time: see isTimed. */
  readonly timed: ReadonlySet<string>;
}

export interface Ledger {
  readonly waits: Waits;
  readonly receipts: ReceiptTable;
  readonly schedules: ScheduleTable;
  readonly templates: TemplateTable;
  readonly clock: ClockTable;
  message(id: string): MessageState | undefined;
  insert(state: MessageState): void;
  update(state: MessageState): void;
  remove(state: MessageState): void;
  append(entry: StoredEntry): void;

  /** Keeps what an idempotency key of a sender stands for. @returns what it stood for already, unchanged. */
  remember(sender: string, key: string, value: RememberedKey, now: number): RememberedKey | undefined;

  /** What an idempotency key of a sender stands for. */
  recall(sender: string, key: string): RememberedKey | undefined;

  /** The most hops of a message in a chain; undefined: no message has gone on with it. */
  hopsOf(chainId: string): number | undefined;
  /** How many hops a person has allowed a chain. */
  liftedTo(chainId: string): number | undefined;
  lift(chainId: string, hops: number): void;

  /** The claimable task that is next for an instance. */
  next(recipient: string): MessageState | undefined;
  /** The task in progress that this holder claimed with this key. */
  claimedWith(holder: HolderKey, claimKey: string): MessageState | undefined;
  /** Tasks in progress of a holder; without one: of all runs. By id: together, their bodies may not fit the memory. */
  held(holder?: HolderKey): string[];
  /** Keeps what became of a try, or what is known of it now: of the last `LIMITS.attempts`, so that they stay few. */
  recordAttempt(id: string, attempt: Attempt): void;
  /** The recorded tries of a message, the first one first. */
  attempts(id: string): Attempt[];
  /** Messages whose time has come, the earliest first; by id, as well. */
  due(now: number, limit: number): string[];
  earliestWake(): number | null;
  /** When the longest waiting message for an instance was sent, ISO 8601. */
  oldestWaiting(recipient: string): string | null;

  /** Writes as much as an ordinary message takes. */
  probe(now: number): void;
  recordPresence(transitions: readonly PresenceTransition[]): void;
  /** The batch is whole: writes what was kept back for its end, and the counts. */
  seal(counts: Counts): void;
  readonly retention: RetentionLedger;
}
