/** The tables as the engine sees them. Everything here runs inside the batch's transaction, and at once. */
import type { EventKind } from "../../shared/event.ts";
import type { MessageState } from "../core/message.ts";
import type { Counts, PresenceTransition } from "./store.ts";
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

export interface Ledger {
  readonly templates: TemplateTable;
  message(id: string): MessageState | undefined;
  insert(state: MessageState): void;
  update(state: MessageState): void;
  remove(state: MessageState): void;
  append(entry: StoredEntry): void;

  /** Keeps what an idempotency key of a sender stands for. @returns what it stood for already, unchanged. */
  remember(sender: string, key: string, value: RememberedKey, now: number): RememberedKey | undefined;

  /** What an idempotency key of a sender stands for. */
  recall(sender: string, key: string): RememberedKey | undefined;

  /** The claimable task that is next for an instance. */
  next(recipient: string): MessageState | undefined;
  /** The task in progress that this holder claimed with this key. */
  claimedWith(holder: HolderKey, claimKey: string): MessageState | undefined;
  /** Tasks in progress of a holder; without one: of all runs. */
  held(holder?: HolderKey): MessageState[];
  /** Messages whose time has come, the earliest first. */
  due(now: number, limit: number): MessageState[];
  earliestWake(): number | null;
  /** When the longest waiting message for an instance was sent, ISO 8601. */
  oldestWaiting(recipient: string): string | null;

  /** Writes as much as an ordinary message takes. */
  probe(now: number): void;
  recordPresence(transitions: readonly PresenceTransition[]): void;
  saveCounts(counts: Counts): void;
}
