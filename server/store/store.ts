/**
 * The contract of storage: batches of commands in, in order, in one transaction, durable before the promise
 * resolves; and bounded reads. Asynchronous, so that a shared database fits behind it as well as an embedded
 * one. What comes out is finished JSON, which is passed on as it is.
 */
import type { EventKind } from "../../shared/event.ts";
import type { Failure, LeaseState, MessageType, Status } from "../../shared/message.ts";
import type { About } from "../../shared/presence.ts";
import type { TemplateSummary } from "../../shared/template.ts";
import type { Moment } from "../clock.ts";
import type { ScheduleState } from "../core/schedule.ts";
import type { Reader } from "../core/view.ts";
import type { Outcome } from "./outcomes.ts";
import type { StoreCommand } from "./storeCommands.ts";

/** When a schedule is due, and what decides it: what the hub must know to watch the clock. */
export type Timing = Pick<ScheduleState, "name" | "cron" | "timezone" | "missed" | "next_at">;

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
  /** Only what waits for nothing but its recipient, or only the rest. */
  ready?: boolean | undefined;
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
interface Position {
  epoch: string;
  head: number;
  /** Entries up to here are pruned. */
  floor: number;
}

export interface KnownInstance {
  claude_id: string;
  state: "online" | "stale" | "offline";
  since: number;
  /** Of those who were connected: until when the hub was there. */
  last_seen: number;
  /** When the next heartbeat is to be expected of who is there by heartbeats alone, ms; 0: nobody knows; null: it is not. */
  beat_ms: number | null;
  /** What it told of itself. */
  about: About | null;
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
