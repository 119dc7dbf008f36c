/**
 * What each run was sent last and has not acknowledged, on whatever line. A run that goes on from a cursor, on another
 * line or by asking for the next page, has what it was sent up to there. Of a run that is not known nothing is.
 */
import QuickLRU from "quick-lru";
import type { Unacknowledged } from "../delivery/unacknowledged.ts";

const RUNS_KEPT = 10_000;

export class RunReceipts {
  readonly #runs = new QuickLRU<string, Unacknowledged>({ maxSize: RUNS_KEPT });

  /** From here on the run is sent this. */
  sends(claude_id: string, run: string, unacknowledged: Unacknowledged): void {
    this.#runs.set(keyOf(claude_id, run), unacknowledged);
  }

  /** The run goes on from `seq`. @returns ids of messages that it has, then. */
  goesOn(claude_id: string, run: string, seq: number): string[] {
    return this.#runs.get(keyOf(claude_id, run))?.acknowledge(seq) ?? [];
  }
}

const keyOf = (claudeId: string, run: string) => `${claudeId} ${run}`;
