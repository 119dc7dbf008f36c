/**
 * What each run was sent last and has not acknowledged, on whatever line. A run that goes on from a cursor, on another
 * line or by asking for the next page, has what it was sent up to there. Of a run that is not known nothing is.
 */
import type { Unacknowledged } from "../delivery/unacknowledged.ts";

const RUNS_KEPT = 10_000;

export class RunReceipts {
  readonly #runs = new Map<string, Unacknowledged>();

  /** From here on the run is sent this. */
  sends(claude_id: string, run: string, unacknowledged: Unacknowledged): void {
    const key = keyOf(claude_id, run);
    this.#runs.delete(key);
    this.#runs.set(key, unacknowledged);
    if (this.#runs.size > RUNS_KEPT) this.#runs.delete(this.#runs.keys().next().value as string);
  }

  /** The run goes on from `seq`. @returns ids of messages that it has, then. */
  goesOn(claude_id: string, run: string, seq: number): string[] {
    return this.#runs.get(keyOf(claude_id, run))?.acknowledge(seq) ?? [];
  }
}

const keyOf = (claudeId: string, run: string) => `${claudeId} ${run}`;
