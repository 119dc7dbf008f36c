/**
 * Keeps deadlines that measure time in step with the clock that they are written in.
 *
 * The end of a lease, of an attempt's time and of a rest are written as moments of the wall clock, but what they measure
 * is time that the hub lived through. Where the two come apart (the clock was set; the process or the machine was
 * stopped) the deadlines move by as much, in the first batch that follows and before its commands: in every batch, `now`
 * and the deadlines are of one clock. What a calendar names (`not_before`, `expires_at`, schedules) stays.
 *
 * How long a hub was not there, or how its clock was set meanwhile, is known from the time it noted last. A quick
 * restart counts as time like any other: otherwise no lease would ever end in a hub that is killed every few seconds.
 */
import { ClockDrift, JUMP_MS, type Moment } from "../../clock.ts";
import { onMovedClock } from "../../core/deadlines.ts";
import type { Ledger } from "./ledger.ts";

/** By how much the clocks must have come apart between two hubs. */
const AWAY_MS = 10_000;
/** How old the noted time becomes while anything is timed: with a restart, far less than an absence. */
const NOTE_MS = 2_000;

export class Timekeeper {
  readonly #ledger: Pick<Ledger, "clock" | "message" | "update">;
  /** Undefined before the first batch. */
  #drift: ClockDrift | undefined;
  /** The same before the last batch. */
  #driftBefore: ClockDrift | undefined;
  #noted: number | null = null;

  constructor(ledger: Pick<Ledger, "clock" | "message" | "update">) {
    this.#ledger = ledger;
  }

  /** The last batch was undone: what it noticed is to be noticed again. */
  reset(): void {
    this.#drift = this.#driftBefore;
    this.#noted = null;
  }

  /** A batch begins: whatever measures time is moved to its clock. */
  keep(at: Moment): void {
    const { now } = at;
    this.#driftBefore = this.#drift;
    const [jump, least] = this.#drift ? [this.#drift.by(at), JUMP_MS] : [this.#sinceNoted(now), AWAY_MS];
    if (Math.abs(jump) > least) {
      this.#move(jump);
      this.#drift = undefined;
    }
    this.#drift ??= new ClockDrift(at);
    if (this.#noted === null || Math.abs(now - this.#noted) >= NOTE_MS) this.note(now);
  }

  /** When the time is to be noted next, even if no batch comes: only what is timed needs it. */
  get noteAt(): number | null {
    return this.#noted === null || this.#ledger.clock.timed.size === 0 ? null : this.#noted + NOTE_MS;
  }

  /** Notes what time it is, for the next hub. */
  note(now: number): void {
    this.#ledger.clock.note(now);
    this.#noted = now;
  }

  #sinceNoted(now: number): number {
    this.#noted = this.#ledger.clock.noted();
    return now - (this.#noted ?? now);
  }

  #move(by: number): void {
    for (const id of this.#ledger.clock.timed) {
      const state = this.#ledger.message(id);
      if (state) this.#ledger.update(onMovedClock(state, by));
    }
  }
}
