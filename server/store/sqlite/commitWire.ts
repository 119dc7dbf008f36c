/**
 * Batches on their way between the threads. Cloning thousands of small objects would cost more than the
 * database does, so commands cross as one text and results as flat arrays of plain values.
 */
import type { WireError } from "../../../shared/errors.ts";
import type { EventKind } from "../../../shared/event.ts";
import type { CommitResult, LogEntry, Outcome, StoreCommand } from "../store.ts";

export interface FlatResult {
  wakeAt: number | null;
  /** Four values an outcome: message or error, deduplicated, waiting, oldest. */
  outcomes: unknown[];
  /** Eight values an entry: the fields of LogEntry in their order. */
  entries: unknown[];
}

export const encodeCommands = (commands: readonly StoreCommand[]): string => JSON.stringify(commands);

export const decodeCommands = (text: string): StoreCommand[] => JSON.parse(text) as StoreCommand[];

export function encodeResult({ outcomes, entries, wakeAt }: CommitResult): FlatResult {
  const flat: FlatResult = { wakeAt, outcomes: [], entries: [] };
  for (const outcome of outcomes) {
    if (outcome.ok) flat.outcomes.push(outcome.message, outcome.deduplicated, outcome.waiting, outcome.oldest);
    else flat.outcomes.push(outcome.error, undefined, undefined, undefined);
  }
  for (const { seq, kind, id, from, to, claimable, json, bodiesAt } of entries) {
    flat.entries.push(seq, kind, id, from, to, claimable, json, bodiesAt);
  }
  return flat;
}

export function decodeResult({ wakeAt, outcomes, entries }: FlatResult): CommitResult {
  const result: CommitResult = { wakeAt, outcomes: [], entries: [] };
  for (let i = 0; i < outcomes.length; i += 4) result.outcomes.push(outcomeAt(outcomes, i));
  for (let i = 0; i < entries.length; i += 8) result.entries.push(entryAt(entries, i));
  return result;
}

function outcomeAt(flat: unknown[], i: number): Outcome {
  const first = flat[i];
  if (typeof first === "object" && first !== null) return { ok: false, error: first as WireError };
  const message = first as string | null;
  if (flat[i + 2] === undefined) return { ok: true, message };
  const [deduplicated, waiting, oldest] = [flat[i + 1] as boolean, flat[i + 2] as number, flat[i + 3] as string | null];
  return { ok: true, message, deduplicated, waiting, oldest };
}

const entryAt = (flat: unknown[], i: number): LogEntry => ({
  seq: flat[i] as number,
  kind: flat[i + 1] as EventKind,
  id: flat[i + 2] as string,
  from: flat[i + 3] as string,
  to: flat[i + 4] as string,
  claimable: flat[i + 5] as boolean,
  json: flat[i + 6] as string,
  bodiesAt: flat[i + 7] as number,
});
