/**
 * Retention: what is no longer kept goes in portions, so that nothing waits long behind it.
 *
 * Invariants: what is pending or in progress never goes. A message goes like a deleted one, with its event, so that
 * whoever folds events into a list agrees with the next list. The log loses only its beginning, and never its last
 * entry, which says how far it has come; entries up to the *floor* are gone.
 */
import type { MessageState } from "../../core/message.ts";
import type { PruneReport } from "../outcomes.ts";
import type { PruneCommand } from "../storeCommands.ts";
import type { GiveUp, RetentionTables } from "./ledger.ts";

/** Bounds of one portion: each takes a few milliseconds of the database's time. */
const PORTION = { messages: 100, entries: 500, keys: 500, history: 500, pages: 100 } as const;

/** Bodies that one portion reads and frees, in characters; its first message may exceed it. */
export const PORTION_CHARS = 1024 * 1024;

/**
 * What happened within the last hour stays, however large the file: whoever reads the log live, or comes back after a
 * restart, can continue in it, and whoever waits for a result finds it.
 */
const LIVE_MS = 60 * 60_000;

/** How long an idempotency key is good for, at least. */
const KEYS_MS = 7 * 24 * 60 * 60_000;

interface Pruning {
  tables: RetentionTables;
  now: number;
  /** Deletes a message, as the hub. */
  remove: (state: MessageState) => void;
  giveUp: GiveUp;
}

/** Prunes one portion, inside the batch's transaction. */
export function prune(command: PruneCommand, { tables, now, remove, giveUp }: Pruning): PruneReport {
  const size = sizeOf(command, tables);
  const exceedsSize = size === "over";
  const gone = exceedsSize ? firstFinished(tables, now - LIVE_MS) : outlived(command, tables);
  for (const state of gone) remove(state);
  const overBefore = gone.at(-1)?.completed_at ?? now - LIVE_MS;
  const logBefore = Math.max(command.log_before ?? 0, exceedsSize ? overBefore : 0);
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

function sizeOf({ max_bytes }: PruneCommand, tables: RetentionTables): PruneReport["size"] {
  if (max_bytes === null) return "within";
  const used = tables.usedBytes();
  return used === null ? "foreign" : used > max_bytes ? "over" : "within";
}

/** Finished messages that are older than the policy keeps. */
function outlived({ complete_before, failed_before }: PruneCommand, tables: RetentionTables): MessageState[] {
  const complete = complete_before === null ? [] : tables.finished("complete", complete_before, PORTION.messages);
  const room = PORTION.messages - complete.length;
  const failed = failed_before === null || room === 0 ? [] : tables.finished("failed", failed_before, room);
  return [...complete, ...failed];
}

/** What finished before a time, oldest first, however it finished. */
function firstFinished(tables: RetentionTables, before: number): MessageState[] {
  const finished = (["complete", "failed"] as const).flatMap((status) =>
    tables.finished(status, before, PORTION.messages),
  );
  finished.sort((a, b) => (a.completed_at as number) - (b.completed_at as number));
  return finished.slice(0, PORTION.messages);
}
