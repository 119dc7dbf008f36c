/**
 * Prunes what the hub is told not to keep: one portion after the other until nothing is left, then again after a
 * while. Portions are ordinary commands that share the batches of others; between two of them there is a pause, so
 * that pruning never has more than a fraction of the database's time.
 *
 * Instances that have long been offline are forgotten in the same way, whatever the policy is, and so is their old
 * history.
 *
 * What is pruned does not come back, so a wall clock that was put forward, or may have been while no hub was there, is not
 * believed for an hour: until then nothing goes because of its age.
 */

import { LIVENESS } from "../../../shared/defaults.ts";
import { LIMITS } from "../../../shared/limits.ts";
import { type Clock, ClockDrift, type Moment, momentOf } from "../../clock.ts";
import { RepeatedWork, type Report } from "../../report.ts";
import type { PruneReport, Shown } from "../../store/outcomes.ts";
import { FIRST_KEY, type KeyCursor, type PruneCommand } from "../../store/storeCommands.ts";

/** What is kept, and how long; undefined: everything, for ever. What has not ended is always kept. */
export interface RetentionPolicy {
  /** Of completed messages, ms after they ended. */
  completeMs?: number | undefined;
  /** Of failed messages, ms after they ended. */
  failedMs?: number | undefined;
  /** Of log entries, ms: how far behind a reader may be and still go on. */
  logMs?: number | undefined;
  /** Bytes of the file in use: beyond, what ended first goes first, up to what ended within the last hour. */
  maxBytes?: number | undefined;
}

interface PrunerOptions {
  clock: Clock;
  policy: RetentionPolicy;
  /** Until when the hub before was there; null: there was none. */
  thereUntil: number | null;
  /** Commits one portion. @returns its report as JSON. */
  submit: (command: PruneCommand) => Promise<Shown>;
  /** Told what each portion did. */
  pruned: (report: PruneReport) => void;
  /** Whether instances are to be forgotten: see PruneCommand. */
  forgets: (seenBefore: number | null) => boolean;
  report: Report;
}

/** Between two rounds. */
const EVERY_MS = 60_000;
/** Between two portions of a round. */
const PAUSE_MS = 20;
/** Between two looks at all idempotency keys. */
const KEYS_EVERY_MS = 24 * 60 * 60_000;
/** Between two looks for history of instances that is too old for any policy. */
const HISTORY_EVERY_MS = 24 * 60 * 60_000;

/** By how much a clock must be put forward, since the last round or hub, not to be believed, and for how long it is not. */
const FORWARD_MS = 60_000;
const DOUBT_MS = 60 * 60_000;

/** What the person who set a size should know. */
const SIZE_NOTES = {
  within: undefined,
  over: "more than the maximum size is taken by messages that have not ended, which are always kept, and by the last hour",
  foreign: "the maximum size does not count: the database holds an application's tables, too",
} as const;

export class Pruner {
  readonly #options: PrunerOptions;
  #cancelNext: (() => void) | undefined;
  #stopped = false;
  #keysAfter: KeyCursor | null = FIRST_KEY;
  #keysAt = Number.NEGATIVE_INFINITY;
  #historyAt = Number.NEGATIVE_INFINITY;
  /** Since the last portion. */
  readonly #drift: ClockDrift;
  #doubtsUntil = Number.NEGATIVE_INFINITY;
  #noted: PruneReport["size"] = "within";
  readonly #pruning: RepeatedWork;

  constructor(options: PrunerOptions) {
    this.#options = options;
    this.#pruning = new RepeatedWork("pruning", options.report);
    const moment = momentOf(options.clock);
    this.#drift = new ClockDrift(moment);
    this.#doubt(moment.now - (options.thereUntil ?? moment.now), moment);
  }

  start(): void {
    this.#later(EVERY_MS);
  }

  /** Begins no other portion. */
  stop(): void {
    this.#stopped = true;
    this.#cancelNext?.();
  }

  #later(delayMs: number, isUnderWay = false): void {
    if (!this.#stopped) this.#cancelNext = this.#options.clock.after(delayMs, () => void this.#prune(isUnderWay));
  }

  /** One portion, where there is something to do; the next is asked for when its report is here. */
  async #prune(isUnderWay: boolean): Promise<void> {
    const command = this.#command();
    if (!isUnderWay && !this.#mayFind(command)) return this.#later(EVERY_MS);
    try {
      const { json } = await this.#options.submit(command);
      this.#pruning.succeeded();
      const report = JSON.parse(json) as PruneReport;
      if (command.keys_after) this.#keysAfter = report.keys_next;
      this.#options.pruned(report);
      if (!report.more) this.#finish(command, report);
      this.#later(report.more ? PAUSE_MS : EVERY_MS, report.more);
    } catch (error) {
      if (!this.#stopped) this.#pruning.failed(error);
      this.#later(EVERY_MS);
    }
  }

  #mayFind({ history_before, seen_before }: PruneCommand): boolean {
    const keepsAll = Object.values(this.#options.policy).every((bound) => bound === undefined);
    return !keepsAll || history_before !== null || this.#options.forgets(seen_before);
  }

  /** Nothing is left of what the round was to prune. */
  #finish({ history_before }: PruneCommand, { size }: PruneReport): void {
    if (history_before !== null) this.#historyAt = this.#options.clock.awake() + HISTORY_EVERY_MS;
    this.#note(size);
  }

  #command(): PruneCommand {
    const { clock, policy } = this.#options;
    const moment = momentOf(clock);
    const { now, awake } = moment;
    const doubts = this.#doubts(moment);
    const before = (keptMs: number | undefined) => (keptMs === undefined || doubts ? null : now - keptMs);
    if (awake >= this.#keysAt && !doubts) {
      this.#keysAt = awake + KEYS_EVERY_MS;
      this.#keysAfter = FIRST_KEY;
    }
    return {
      op: "prune",
      complete_before: before(policy.completeMs),
      failed_before: before(policy.failedMs),
      log_before: before(policy.logMs),
      max_bytes: policy.maxBytes ?? null,
      keys_after: doubts ? null : this.#keysAfter,
      seen_before: before(LIVENESS.forget_ms),
      history_before: awake >= this.#historyAt ? before(LIVENESS.forget_ms) : null,
      max_instances: LIMITS.instances,
    };
  }

  #doubts(moment: Moment): boolean {
    this.#doubt(this.#drift.by(moment), moment);
    this.#drift.follow(moment);
    return moment.awake < this.#doubtsUntil;
  }

  #doubt(forwardMs: number, { awake }: Moment): void {
    if (forwardMs > FORWARD_MS) this.#doubtsUntil = awake + DOUBT_MS;
  }

  /** Says once what keeps the file from its size. */
  #note(size: PruneReport["size"]): void {
    const note = size === this.#noted ? undefined : SIZE_NOTES[size];
    this.#noted = size;
    if (note) this.#options.report.warn(note);
  }
}
