/** What becomes of a command, by what it was. */
import type { WireError } from "../../shared/errors.ts";
import type { KeyCursor, StoreCommand } from "./storeCommands.ts";

type Op = StoreCommand["op"];

/** What became of one command. */
export type Outcome = Done | Refused;

export type OutcomeOf<O extends Op> = DoneOf<O> | Refused;

export interface Refused {
  ok: false;
  error: WireError;
}

/** Of a command that was not refused. */
export type Done = DoneOf<Op>;

export type DoneOf<O extends Op> = DoneBy[O];

/** There is nothing to show. */
export interface Nothing {
  ok: true;
  json: null;
}

/** What there is to show, if there is anything: a task that was claimed, a schedule that is still there. */
export interface Found {
  ok: true;
  json: string | null;
}

export interface Shown {
  ok: true;
  /** The message, template, schedule, chain or report after the command. */
  json: string;
}

export interface Sent extends Shown {
  deduplicated: boolean;
  /** Messages that wait for the recipient, and since when (ISO 8601). */
  waiting: number;
  oldest: string | null;
}

/** The last message of a macro stands for all. */
export interface SentMacro extends Sent {
  /** All of them, as a JSON array. */
  messages: string;
}

interface DoneBy {
  send: Sent;
  template_send: Sent | SentMacro;
  template_put: Shown;
  template_delete: Nothing;
  change: Shown;
  claim_next: Found;
  delete: Nothing;
  delivered: Shown;
  lapse: Nothing;
  keep: Nothing;
  lengthen: Nothing;
  lift: Shown;
  wake: Nothing;
  note_time: Nothing;
  probe: Nothing;
  prune: Shown;
  presence: Nothing;
  schedule_put: Shown;
  schedule_delete: Nothing;
  schedule_fire: Found;
  schedule_rewind: Found;
}

export const NOTHING: Nothing = { ok: true, json: null };

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
