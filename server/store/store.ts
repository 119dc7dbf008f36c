/**
 * The contract of storage: batches of commands in, in order, in one transaction, durable before the promise
 * resolves; and bounded reads. Asynchronous, so that a shared database fits behind it as well as an embedded
 * one. What comes out is finished JSON, which is passed on as it is.
 */
import type { WireError } from "../../shared/errors.ts";
import type { EventKind } from "../../shared/event.ts";
import type { Failure, LeaseState, MessageType, Status } from "../../shared/message.ts";
import type { TemplateBody, TemplateFields, TemplateSummary } from "../../shared/template.ts";
import type { Moment } from "../clock.ts";
import type { Command } from "../core/commands.ts";
import type { NewMessage } from "../core/create.ts";
import type { Caller } from "../core/message.ts";
import type { Values } from "../core/placeholders.ts";
import type { SaidSchedule, ScheduleState } from "../core/schedule.ts";
import type { Reader } from "../core/view.ts";

/** One thing to be done in a batch. */
export type StoreCommand =
  | { op: "send"; said: NewMessage; key?: string | undefined }
  /** Sends what a template says: all of it, or nothing. */
  | { op: "template_send"; said: TemplateSend; key?: string | undefined }
  | { op: "template_put"; caller: Caller; name: string; body: TemplateBody }
  | { op: "template_delete"; name: string }
  | { op: "change"; caller: Caller; id: string; command: Exclude<Command, { op: "wake" }> }
  | { op: "claim_next"; caller: Caller; queues: readonly string[]; claim_key?: string | undefined }
  | { op: "delete"; caller: Caller; id: string }
  /** The reader's client has these messages. The outcome says how many of them are for it. */
  | { op: "delivered"; reader: string; ids: readonly string[] }
  /** A run has gone: its leases last this much longer. Without a holder: every run has gone. */
  | { op: "lapse"; holder?: { claude_id: string; run: string }; forMs: number }
  /** A run is connected: its leases are kept. */
  | { op: "keep"; holder: { claude_id: string; run: string } }
  /** A name beats: its detached claims last at least this long. */
  | { op: "lengthen"; claude_id: string; forMs: number }
  /** A person allows a chain this many more hops. The outcome is the chain. */
  | { op: "lift"; chain_id: string; hops?: number | undefined }
  /** Time has come for whatever is due. */
  | { op: "wake" }
  /** Notes what time it is, as the last thing that a hub does: until then it was there. */
  | { op: "note_time" }
  /** Proves that the store can write. */
  | { op: "probe" }
  /** A portion of what is no longer kept goes; the outcome is a PruneReport. */
  | PruneCommand
  /** Instances went from one presence state to another, or beat. */
  | { op: "presence"; transitions: readonly PresenceTransition[] }
  | ScheduleCommand;

export type StoreCommandOf<Op extends StoreCommand["op"]> = Extract<StoreCommand, { op: Op }>;

/** A template named in a send, with what else the send says. */
export interface TemplateSend extends Readonly<TemplateFields> {
  readonly from_claude: string;
  readonly template: string;
  readonly params?: Values | undefined;
}

export type ScheduleCommand =
  /** Keeps a schedule. `next`: its first occurrence after now. */
  | { op: "schedule_put"; schedule: SaidSchedule; next: number | null }
  | { op: "schedule_delete"; name: string }
  /**
   * Settles the occurrence `due`, once: sends, or says why it does not, and moves on to `next`. Nothing happens when
   * the schedule is gone, or is not due at `due` any more.
   */
  | { op: "schedule_fire"; name: string; due: number; next: number | null; skip?: string }
  /**
   * The clock was put back, and by now a schedule that is due at `due` would come sooner, at `next`: so it does where it
   * went on while the clock was ahead.
   */
  | { op: "schedule_rewind"; name: string; due: number; next: number };

/** When a schedule is due, and what decides it: what the hub must know to watch the clock. */
export type Timing = Pick<ScheduleState, "name" | "cron" | "timezone" | "missed" | "next_at">;

/** What is kept; null: everything, for ever. Cut-offs are times, ms since 1970: what is older goes. */
export interface PruneCommand {
  op: "prune";
  complete_before: number | null;
  failed_before: number | null;
  log_before: number | null;
  /**
   * While the file's used pages exceed it, what finished first goes, whatever its age, and the log of its time, except
   * for what live readers need.
   */
  max_bytes: number | null;
  /** Where to look for idempotency keys that nobody needs; null: not now. */
  keys_after: KeyCursor | null;
  /** Offline instances last seen before this go. */
  seen_before: number | null;
  /** The history of instances before this goes, as does what is older than the log; null: not now. */
  history_before: number | null;
  /** Beyond this many instances, those that have been offline longest go. */
  max_instances: number | null;
}

/** A place in the order of idempotency keys. */
export type KeyCursor = readonly [sender: string, key: string];

export const FIRST_KEY: KeyCursor = ["", ""];

/** What one portion did. */
export interface PruneReport {
  messages: number;
  entries: number;
  keys: number;
  /** Names of instances that are forgotten. */
  instances: string[];
  /** Entries of the history of presence: of theirs, and those that are too old. */
  history: number;
  /** Pages of the file that were given back. */
  pages: number;
  /** Log entries up to here are gone. */
  floor: number;
  /** Where to continue looking for keys; null: all that were asked for were looked at. */
  keys_next: KeyCursor | null;
  /** Whether the next portion may find more. */
  more: boolean;
  /** How the file compares to `max_bytes`; `foreign`: it holds an application's tables, whose size is not the hub's. */
  size: "within" | "over" | "foreign";
}

export interface PresenceTransition {
  claude_id: string;
  state: "online" | "stale" | "offline" | "heartbeat";
  at: number;
  /** When the hub last heard of it, if that was earlier: whoever goes offline was silent before. */
  seen?: number;
  /** Of a heartbeat: when the next one is to be expected, ms. */
  beat_ms?: number;
}

/** What became of one command. */
export type Outcome =
  | {
      ok: true;
      /** The message, schedule, template or report after the command; null when there is none to show. */
      json: string | null;
      deduplicated?: boolean;
      /** Of a send: messages that wait for the recipient, and since when (ISO 8601). */
      waiting?: number;
      oldest?: string | null;
      /** Of a macro: all its messages, as a JSON array. */
      messages?: string;
    }
  | { ok: false; error: WireError };

/** One log entry on its way to readers: where it belongs, and the event as JSON. */
export interface LogEntry {
  seq: number;
  kind: EventKind;
  id: string;
  from: string;
  to: string;
  /** Whether a task became claimable by it. */
  claimable: boolean;
  json: string;
  /** Where in `json` the bodies begin. */
  bodiesAt: number;
}

export interface CommitResult {
  outcomes: Outcome[];
  entries: LogEntry[];
  /** Seq of the log's last entry, which reveals entries whose own commit seemed to fail. */
  head: number;
  /** When the store is to be woken next (ms), because time alone changes something or is to be noted; null: never. */
  wakeAt: number | null;
}

export interface LogSlice {
  entries: LogEntry[];
  /** Everything the reader may see up to here is in the slice or before it. */
  upTo: number;
}

export interface ListFilter {
  to_claude?: string | undefined;
  from_claude?: string | undefined;
  status?: Status | undefined;
  type?: MessageType | undefined;
  thread_id?: string | undefined;
  failure?: Failure | undefined;
  lease?: LeaseState | undefined;
  delivered?: boolean | undefined;
  chain_id?: string | undefined;
  /** Only chats to everyone whose receipt for this recipient is open, each as it stands for the recipient. */
  open_for?: string | undefined;
  order: "asc" | "desc";
  limit: number;
  offset: number;
  /** Opaque: where the list before ended. */
  next?: string | undefined;
}

export interface MessageSlice {
  /** Messages as JSON. */
  messages: string[];
  next: string | null;
  /** The log position of this read. */
  seq: number;
}

export interface ScheduleFilter {
  limit: number;
  /** Only names after this one. */
  next?: string | undefined;
}

export interface ScheduleSlice {
  /** Schedules as JSON. */
  schedules: string[];
  next: string | null;
}

export interface Workload {
  claude_id: string;
  in_progress: number;
  waiting: number;
  /** Since when the first of them waits (ISO 8601). */
  oldest: string | null;
}

export type Counts = Record<Status, number>;

/** Where the log stands. */
export interface Position {
  epoch: string;
  head: number;
  /** Entries up to here are pruned. */
  floor: number;
}

export interface KnownInstance {
  claude_id: string;
  state: "online" | "stale" | "offline";
  since: number;
  /** Of those who were online: until when the hub was there. */
  last_seen: number;
  /** When its next heartbeat is to be expected, ms; 0: nobody knows; null: it does not beat. */
  beat_ms: number | null;
}

/** What the hub before left. */
export interface Opened {
  position: Position;
  instances: KnownInstance[];
  /** Until when it was there, as far as is written, by its clock; null: there was none. */
  thereUntil: number | null;
  /** What whoever runs the hub should know, as sentences. */
  notes?: readonly string[];
}

export interface Store {
  /** Opens the store and makes it this process's own. Call once, before anything else. */
  open(now: number): Promise<Opened>;
  /** Applies a batch in order; resolves once it is durable. One refused command fails alone. */
  commit(commands: readonly StoreCommand[], at: Moment): Promise<CommitResult>;
  /** A message as JSON; null: there is none with that id. */
  get(id: string, now: number): Promise<string | null>;
  /** What became of each try of a message, as a JSON array; null when there is no such message. */
  attempts(id: string): Promise<string | null>;
  /** How far a message has come with each recipient, as a JSON array; null when there is no such message. */
  receipts(id: string): Promise<string | null>;
  /** @param isWanted whether anybody still waits for it; a long list ends early when nobody does. */
  list(filter: ListFilter, now: number, isWanted?: () => boolean): Promise<MessageSlice>;
  /**
   * A stretch of the log past `after`, within `maxEvents` and `maxBytes`, but always at least one event.
   *
   * @throws HubError `cursor_lost` when entries past `after` are pruned: see `floorOf`.
   */
  log(reader: Reader, after: number, maxEvents: number, maxBytes: number): Promise<LogSlice>;
  counts(): Promise<Counts>;
  /** The template of a name, as JSON. */
  template(name: string): Promise<string | null>;
  /** All templates, by name. */
  templates(): Promise<TemplateSummary[]>;
  workload(names: readonly string[]): Promise<Workload[]>;
  /** One schedule as JSON; null: there is none with that name. */
  schedule(name: string): Promise<string | null>;
  schedules(filter: ScheduleFilter): Promise<ScheduleSlice>;
  /** Every schedule that will be due at some time. */
  timetable(): Promise<Timing[]>;
  /** Writes a verified copy to a file, while everything goes on. */
  backup(file: string): Promise<void>;
  close(): Promise<void>;
}
