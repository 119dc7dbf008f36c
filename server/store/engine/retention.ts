/**
 * Retention: what is no longer kept goes in portions, so that nothing waits long behind one of them.
 *
 * Invariants: what is pending or in progress never goes. A message goes like a deleted one, with its event, so that
 * whoever folds events into a list agrees with the next list. The log loses only its beginning, and never its last
 * entry, which says how far it has come; entries up to the *floor* are gone.
 */

import { HubError } from "../../../shared/errors.ts";
import { cursorLost } from "../../../shared/refusals.ts";
import type { MessageState } from "../../core/message.ts";

/** What is kept; null: everything, for ever. Cut-offs are times, ms since 1970: what is older goes. */
export interface PruneCommand {
  op: "prune";
  complete_before: number | null;
  failed_before: number | null;
  log_before: number | null;
  /**
   * While the file's used pages exceed it, what finished first goes, whatever its age, and the log of its time, but for
   * what live readers need.
   */
  max_bytes: number | null;
  /** Where to look for idempotency keys that nobody needs; null: not now. */
  keys_after: KeyPlace | null;
  /** Instances that are offline and were last seen before go. */
  seen_before: number | null;
  /** What happened to instances before goes, as what is older than the log does; null: not now. */
  history_before: number | null;
  /** Beyond so many instances, those go that are offline for longest. */
  max_instances: number | null;
}

/** A place in the order of idempotency keys. */
export type KeyPlace = readonly [sender: string, key: string];

export const FIRST_KEY: KeyPlace = ["", ""];

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
  /** Where to look on for keys; null: all that were asked for were looked at. */
  keys_next: KeyPlace | null;
  /** Whether the next portion may find more. */
  more: boolean;
  /** How the file stands to `max_bytes`; `foreign`: it holds an application's tables, whose size is not the hub's. */
  size: "within" | "over" | "foreign";
}

export type Finished = "complete" | "failed";

/** The tables as retention sees them. */
export interface RetentionLedger {
  /** Messages that finished before a time, the first first: at most `limit`, and a bounded number of bytes. */
  finished(status: Finished, before: number, limit: number): MessageState[];
  /** Removes the log's beginning as far as it is older. @returns how many entries, at most `limit`. */
  pruneLog(before: number, limit: number): number;
  readonly floor: number;
  /** Removes keys older than a time whose message is gone, of the next `limit`. @returns null as `next` at the end. */
  pruneKeys(before: number, after: KeyPlace, limit: number): { removed: number; next: KeyPlace | null };
  /**
   * Forgets instances with their history, of which at most `limit` entries go; each once its history is gone.
   *
   * @param giveUp has nobody wait for one any more. @returns how many receipts that took, of at most so many.
   */
  forgetInstances(due: DueInstances, limit: number, giveUp: GiveUp): ForgottenInstances;
  /** Removes what is older of the first `limit` entries of the history of presence. @returns how many. */
  pruneHistory(before: number, limit: number): number;
  /** Bytes of the file in use; null when they are not only the hub's. */
  usedBytes(): number | null;
  /** Gives free pages back to the file system. @returns how many. */
  giveBack(limit: number): number;
}

/** Of instances that are offline, those that were last seen before, and as many as there are too many. */
export type DueInstances = Pick<PruneCommand, "seen_before" | "max_instances">;
export type GiveUp = (name: string, limit: number) => number;
export type ForgottenInstances = Pick<PruneReport, "instances" | "history">;

/** Bounds of one portion: each takes a few milliseconds of the database's time. */
const PORTION = { messages: 100, entries: 500, keys: 500, history: 500, pages: 100 } as const;

/** Bodies that one portion reads and frees, in characters; its first message may exceed it. */
export const PORTION_CHARS = 1024 * 1024;

/**
 * What happened within the last hour stays, however large the file: who reads the log live, or comes back after a
 * restart, goes on in it, and whoever waits for a result finds it.
 */
const LIVE_MS = 60 * 60_000;

/** How long an idempotency key is good for, at least. */
const KEYS_MS = 7 * 24 * 60 * 60_000;

export interface Pruning {
  tables: RetentionLedger;
  now: number;
  /** Deletes a message, as the hub. */
  remove: (state: MessageState) => void;
  giveUp: GiveUp;
}

/** Prunes one portion, inside the batch's transaction. */
export function prune(command: PruneCommand, { tables, now, remove, giveUp }: Pruning): PruneReport {
  const size = sizeOf(command, tables);
  const isOver = size === "over";
  const gone = isOver ? firstFinished(tables, now - LIVE_MS) : outlived(command, tables);
  for (const state of gone) remove(state);
  const overBefore = gone.at(-1)?.completed_at ?? now - LIVE_MS;
  const logBefore = Math.max(command.log_before ?? 0, isOver ? overBefore : 0);
  const entries = logBefore > 0 ? tables.pruneLog(logBefore, PORTION.entries) : 0;
  const keys = command.keys_after && tables.pruneKeys(now - KEYS_MS, command.keys_after, PORTION.keys);
  const { instances, history: ofTheirs } = tables.forgetInstances(command, PORTION.history, giveUp);
  const historyBefore = Math.max(command.history_before ?? 0, logBefore);
  const ofAll = historyBefore > 0 ? tables.pruneHistory(historyBefore, PORTION.history - ofTheirs) : 0;
  const history = ofTheirs + ofAll;
  const work = { messages: gone.length, entries, keys: keys?.removed ?? 0, instances, history };
  const isIdle = work.messages + work.entries + work.keys + instances.length + history === 0;
  const pages = isIdle ? tables.giveBack(PORTION.pages) : 0;
  const keys_next = keys?.next ?? null;
  return { ...work, pages, floor: tables.floor, keys_next, more: !isIdle || pages > 0 || keys_next !== null, size };
}

function sizeOf({ max_bytes }: PruneCommand, tables: RetentionLedger): PruneReport["size"] {
  if (max_bytes === null) return "within";
  const used = tables.usedBytes();
  return used === null ? "foreign" : used > max_bytes ? "over" : "within";
}

/** Whose time is over. */
function outlived({ complete_before, failed_before }: PruneCommand, tables: RetentionLedger): MessageState[] {
  const complete = complete_before === null ? [] : tables.finished("complete", complete_before, PORTION.messages);
  const room = PORTION.messages - complete.length;
  const failed = failed_before === null || room === 0 ? [] : tables.finished("failed", failed_before, room);
  return [...complete, ...failed];
}

/** What finished first before a time, however it finished. */
function firstFinished(tables: RetentionLedger, before: number): MessageState[] {
  const finished = (["complete", "failed"] as const).flatMap((status) =>
    tables.finished(status, before, PORTION.messages),
  );
  finished.sort((a, b) => (a.completed_at as number) - (b.completed_at as number));
  return finished.slice(0, PORTION.messages);
}

/** What a reader is told whose place in the log is gone. */
export const prunedPast = (floor: number) => cursorLost({ reason: "pruned", floor });

/** The floor that a reader had fallen below, when that is why its read failed. */
export function floorOf(error: unknown): number | undefined {
  const isPruned = error instanceof HubError && error.code === "cursor_lost" && error.details?.reason === "pruned";
  return isPruned ? (error.details?.floor as number) : undefined;
}
