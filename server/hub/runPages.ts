/**
 * Remembers the last pages that each run was sent, on whatever connection, and has not acknowledged. Continuing from a
 * cursor, on another connection or by asking for the next page, acknowledges everything up to there. In memory and
 * within bounds: a run that is forgotten acknowledges nothing.
 */
import QuickLRU from "quick-lru";
import type { Unacknowledged } from "../delivery/unacknowledged.ts";
import { runKey } from "./runs.ts";

const RUNS_KEPT = 10_000;
/** Ids of messages, in all runs together; beyond that, the runs heard of longest ago are forgotten. */
const IDS_KEPT = 500_000;
/** New lines between two counts of the ids. */
const LINES_A_SWEEP = 100;

export class RunPages {
  readonly #runs = new QuickLRU<string, Unacknowledged>({ maxSize: RUNS_KEPT });
  #linesSinceSweep = 0;

  /** From here on the run is sent this. */
  sends(claude_id: string, run: string, unacknowledged: Unacknowledged): void {
    const key = runKey(claude_id, run);
    this.#runs.delete(key); // so that it counts as the newest
    this.#runs.set(key, unacknowledged);
    if (++this.#linesSinceSweep >= LINES_A_SWEEP) this.#sweep();
  }

  /** The run resumes from `seq`. @returns ids of messages that it has, then. */
  resumed(claude_id: string, run: string, seq: number): string[] {
    return this.#runs.get(runKey(claude_id, run))?.acknowledge(seq) ?? [];
  }

  #sweep(): void {
    this.#linesSinceSweep = 0;
    let ids = 0;
    for (const [key, { received }] of [...this.#runs.entriesDescending()]) {
      ids += received;
      if (ids > IDS_KEPT) this.#runs.delete(key);
    }
  }
}
