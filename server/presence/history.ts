/**
 * The history of presence: what happens is noted at once and recorded, in its order, at the next flush.
 *
 * What the store cannot take at the moment is recorded again by a later flush, and so is all that was under way behind it:
 * how an instance stands is what is recorded of it last. `WriteRetries` repeats each write by itself and keeps no order.
 */
import type { Moment } from "../clock.ts";
import type { PresenceTransition } from "../store/storeCommands.ts";
import { BEATS_UNWRITTEN_MS, freshMsOf, type InstanceRecord, intervalOf, isHeldByBeats } from "./instances.ts";

/** How much of what happens is remembered while it cannot be recorded. */
const NOTES_KEPT = 100_000;

/** Records what happened; may coalesce. @returns whether it is recorded; else it has to be recorded again. */
export type RecordTransitions = (transitions: readonly PresenceTransition[]) => Promise<boolean>;

export class PresenceHistory {
  readonly #record: RecordTransitions;
  #noted: PresenceTransition[] = [];
  /** What is being recorded, in its order. */
  #underWay: (readonly PresenceTransition[])[] = [];

  constructor(record: RecordTransitions) {
    this.#record = record;
  }

  note(transition: PresenceTransition): void {
    this.#noted.push(transition);
  }

  /**
   * Notes that an instance, which beats or is away, was heard of, unless that was noted a short time ago, with about the same
   * interval.
   */
  noteBeat(record: InstanceRecord, { now, awake }: Moment): void {
    const freshMs = freshMsOf(record);
    const { beatNoted: noted } = record;
    const isAlike = noted !== null && Math.abs(freshMs - noted.freshMs) <= noted.freshMs / 4;
    if (isAlike && awake - noted.at < BEATS_UNWRITTEN_MS) return;
    record.beatNoted = { at: awake, freshMs };
    this.noteHold(record, now);
  }

  /** The hub closes: notes the last heartbeat, if only an earlier one of this hub's life was noted. */
  noteLastBeat(record: InstanceRecord): void {
    const { beatAt, beatNoted, last_seen } = record;
    if (isHeldByBeats(record) && beatNoted !== null && beatNoted.at !== beatAt) this.noteHold(record, last_seen);
  }

  /** Notes when an instance was heard of, and whether heartbeats alone hold it. */
  noteHold(record: InstanceRecord, at: number): void {
    const beat = isHeldByBeats(record) && { beat_ms: intervalOf(record) };
    this.note({ claude_id: record.claude_id, state: "heartbeat", at, ...beat });
  }

  /** Has what was noted recorded now. */
  flush(): void {
    if (this.#noted.length > 0) void this.#flush(this.#noted.splice(0));
  }

  async #flush(transitions: readonly PresenceTransition[]): Promise<void> {
    this.#underWay.push(transitions);
    const isRecorded = await this.#record(transitions);
    const place = this.#underWay.indexOf(transitions);
    if (isRecorded) this.#underWay = this.#underWay.filter((one) => one !== transitions);
    else if (place >= 0) this.#noteAgain(this.#underWay.splice(place));
  }

  #noteAgain(failed: (readonly PresenceTransition[])[]): void {
    this.#noted = [...failed.flat(), ...this.#noted].slice(-NOTES_KEPT);
  }
}
