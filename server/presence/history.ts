/**
 * The history of presence: what happens is noted at once and recorded, in its order, at the next flush.
 *
 * What the store cannot take at the moment is recorded again by a later flush, and so is all that was under way behind it:
 * how an instance stands is what is recorded of it last. `WriteRetries` repeats each write by itself and keeps no order.
 */
import type { Moment } from "../clock.ts";
import type { PresenceTransition } from "../store/storeCommands.ts";
import type { InstanceRecord } from "./instances.ts";

/** Heartbeats, and requests of instances that are away, enter the history at most this often for each. */
const BEAT_MS = 5 * 60_000;
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
   * Notes that an instance was heard of, unless that was noted a short time ago.
   *
   * @param beat_ms when it is to be heard of next, where it was a heartbeat.
   */
  noteBeat(record: InstanceRecord, { now, awake }: Moment, beat_ms?: number): void {
    if (record.beatNotedAt !== null && awake - record.beatNotedAt < BEAT_MS) return;
    record.beatNotedAt = awake;
    this.note({ claude_id: record.claude_id, state: "heartbeat", at: now, ...(beat_ms !== undefined && { beat_ms }) });
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
