/** The tables as the engine sees them. Everything here runs inside the batch's transaction, and at once. */
import type { EventKind } from "../../../shared/event.ts";
import type { Template, TemplateBody, TemplateSummary } from "../../../shared/template.ts";
import type { Attempt, MessageState } from "../../core/message.ts";
import type { Receipt } from "../../core/receipt.ts";
import type { ScheduleState } from "../../core/schedule.ts";
import type { PruneReport } from "../outcomes.ts";
import type { Counts } from "../store.ts";
import type { KeyCursor, PresenceTransition, PruneCommand } from "../storeCommands.ts";

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
  /** When its message was sent. */
  created_at: number;
}

/** A holder as the tables know it; run null: detached. */
export interface HolderKey {
  claude_id: string;
  run: string | null;
}

/** Which message waits for which others. */
export interface WaitTable {
  /** Whether any message waits at all: in most hubs, none ever does. */
  readonly any: boolean;
  /** A message waits for others that are not complete. */
  add(id: string, awaited: readonly string[]): void;
  /** A message waits for nothing any more. */
  drop(id: string): void;
  /** How many wait for one. */
  count(awaited: string): number;
  /** Removes and returns those that wait for one. */
  take(awaited: string): string[];
  /** All that are waited for. */
  awaited(): string[];
}

/** How far chats to everyone have come with each recipient. */
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

/** The table of schedules. */
export interface ScheduleTable {
  get(name: string): ScheduleState | undefined;
  put(state: ScheduleState): void;
  /** @returns whether there was one. */
  remove(name: string): boolean;
  names(): string[];
  count(): number;
}

/** Who put a template, and when (ISO 8601). */
export interface Put {
  readonly at: string;
  readonly by: string | null;
}

export interface SentMessage {
  readonly id: string;
  readonly to: string;
  readonly type: string;
}

/** What the key of a send by template stands for: one message, or those of a macro. */
export interface SentWith {
  /** In the order in which they are told, the one that stands for all of them last. */
  readonly messages: readonly SentMessage[];
  readonly isMacro: boolean;
}

export interface TemplateTable {
  get(name: string): Template | undefined;
  names(): string[];
  count(): number;
  /** In the order of their names. */
  list(): TemplateSummary[];
  /** Keeps it, replacing what was under that name. */
  put(name: string, body: TemplateBody, put: Put): void;
  /** @returns whether there was one. */
  remove(name: string): boolean;

  /** Keeps what a key stands for, which the ledger must know already. */
  rememberSent(sender: string, key: string, sent: SentWith): void;
  sentWith(sender: string, key: string): SentWith | undefined;
}

export type Finished = "complete" | "failed";

/** Offline instances to forget: those last seen before a time, and as many as exceed the limit. */
export type DueInstances = Pick<PruneCommand, "seen_before" | "max_instances">;
export type GiveUp = (name: string, limit: number) => number;
export type ForgottenInstances = Pick<PruneReport, "instances" | "history">;

/** What retention asks of the tables. */
export interface RetentionTables {
  /** Messages that finished before a time, the first first: at most `limit`, and a bounded number of bytes. */
  finished(status: Finished, before: number, limit: number): MessageState[];
  /** Removes the log's beginning, as far as it is older than a time. @returns how many entries, at most `limit`. */
  pruneLog(before: number, limit: number): number;
  readonly floor: number;
  /** Of the next `limit` keys, removes the old ones whose message is gone. @returns null as `next` at the end. */
  pruneKeys(before: number, after: KeyCursor, limit: number): { removed: number; next: KeyCursor | null };
  /**
   * Forgets instances with their history, of which at most `limit` entries go; each goes once its history is gone.
   *
   * @param giveUp stops waiting for an instance; returns how many receipts that released, at most the limit.
   */
  forgetInstances(due: DueInstances, limit: number, giveUp: GiveUp): ForgottenInstances;
  /** Of the first `limit` entries of the history of presence, removes those older than a time. @returns how many. */
  pruneHistory(before: number, limit: number): number;
  /** Bytes of the file in use; null when they are not only the hub's. */
  usedBytes(): number | null;
  /** Gives free pages back to the file system. @returns how many. */
  giveBack(limit: number): number;
}

export interface Ledger {
  readonly waits: WaitTable;
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
  remember(sender: string, key: string, value: RememberedKey): RememberedKey | undefined;

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
  /** Messages whose time has come, the earliest first; also by id. */
  due(now: number, limit: number): string[];
  earliestWake(): number | null;
  /** When the message that has waited longest for an instance was sent, ISO 8601. */
  oldestWaiting(recipient: string): string | null;

  /** Writes as much as an ordinary message takes. */
  probe(now: number): void;
  recordPresence(transitions: readonly PresenceTransition[]): void;
  /** The batch is whole: writes what was kept back for its end, and the counts. */
  seal(counts: Counts): void;
  readonly retention: RetentionTables;
}
