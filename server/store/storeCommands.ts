/** What a store is told to do: by the operations, by the time that has come, by who comes and goes. */
import type { About } from "../../shared/presence.ts";
import type { TemplateBody, TemplateFields } from "../../shared/template.ts";
import type { Command } from "../core/commands.ts";
import type { NewMessage } from "../core/create.ts";
import type { Caller } from "../core/message.ts";
import type { Values } from "../core/placeholders.ts";
import type { SaidSchedule } from "../core/schedule.ts";

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

export type StoreCommandOf<Op extends StoreCommand["op"]> = StoreCommand & { op: Op };

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

export interface PresenceTransition {
  claude_id: string;
  /** `about`: it has told something else of itself. */
  state: "online" | "stale" | "offline" | "heartbeat" | "about";
  at: number;
  /** When the hub last heard of it, if that was earlier: whoever goes offline was silent before. */
  seen?: number;
  /** Of a heartbeat: when the next one is to be expected, ms; left out of who is connected. */
  beat_ms?: number;
  /** What it tells of itself, with `about`. */
  about?: About;
}

/** What is asked, and so can be refused; the rest has happened. */
export const ASKED: ReadonlySet<StoreCommand["op"]> = new Set([
  "send",
  "change",
  "claim_next",
  "delete",
  "lift",
  "schedule_put",
  "schedule_delete",
  "template_send",
  "template_put",
  "template_delete",
]);
