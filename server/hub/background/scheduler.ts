/**
 * Watches the clock for the schedules. The store decides what an occurrence does, and that it does it once; this only
 * says when, and may safely be wrong about it: the store then corrects the time.
 *
 * One timer, armed at the earliest occurrence, but never for longer than LOOK_MS: the wall clock may be put forward, and
 * a machine's sleep stops timers but not the clock. Whatever is due is settled with one message and moves on to a time
 * after now, so the hub never works off what piled up. When the clock was put back, or may have been while no hub was
 * there, what is due later than its pattern says is rewound.
 */
import { HubError } from "../../../shared/errors.ts";
import { MISSED_AFTER_MS } from "../../../shared/schedule.ts";
import { type Clock, momentOf } from "../../clock.ts";
import { msOrNull } from "../../iso.ts";
import { RepeatedWork, type Report } from "../../report.ts";
import type { DoneOf } from "../../store/outcomes.ts";
import type { Timing } from "../../store/store.ts";
import type { ScheduleCommand } from "../../store/storeCommands.ts";
import { Recurrence } from "./recurrence.ts";

const LOOK_MS = 30_000;
/** How long the store is left alone after it failed. */
const REST_MS = 1_000;
/** Occurrences settled at once; the rest follows. */
const AT_ONCE = 100;

interface SchedulerOptions {
  clock: Clock;
  timetable: () => Promise<Timing[]>;
  submit: <C extends ScheduleCommand>(command: C) => Promise<DoneOf<C["op"]>>;
  report: Report;
}

interface Entry {
  timing: Timing;
  due: number;
  recurrence: Recurrence;
}

/** The timing of a schedule, out of its JSON. */
export function timingIn(json: string): Timing {
  const { next_at = null, ...schedule } = JSON.parse(json) as Omit<Timing, "next_at"> & { next_at?: string };
  return { ...schedule, next_at: msOrNull(next_at) };
}

export class Scheduler {
  readonly #options: SchedulerOptions;
  readonly #entries = new Map<string, Entry>();
  #isLooking = false;
  /** Whether what is known here may no longer be what the store has. */
  #isStale = false;
  /** By the wall clock, which was put back if it says less now; before the first look nobody knows. */
  #lookedAt = Number.POSITIVE_INFINITY;
  /** Until when a store that failed is left alone. */
  #restsUntil = Number.NEGATIVE_INFINITY;
  readonly #sending: RepeatedWork;
  #isClosed = false;
  #cancelLook = () => {};

  constructor(options: SchedulerOptions) {
    this.#options = options;
    this.#sending = new RepeatedWork("sending what is scheduled", options.report);
  }

  /** Reads the timetable, and begins. */
  async start(): Promise<void> {
    await this.#read();
    await this.#followClock();
    this.#arm();
  }

  close(): void {
    this.#isClosed = true;
    this.#cancelLook();
  }

  /**
   * Commits a command, and notes when its schedule is due from now on.
   *
   * @returns the schedule as JSON; null: there is none any more.
   * @throws HubError when the store refuses it.
   */
  async commit<C extends ScheduleCommand>(command: C): Promise<DoneOf<C["op"]>["json"]> {
    const name = command.op === "schedule_put" ? command.schedule.name : command.name;
    try {
      const { json } = await this.#options.submit(command);
      this.#note(name, json);
      return json;
    } catch (error) {
      if (!(error instanceof HubError) || error.retryable) this.#doubt();
      throw error;
    } finally {
      this.#arm();
    }
  }

  /** Whether it was written is not known: the timetable is read again, after a rest. */
  #doubt(): void {
    this.#isStale = true;
    const awake = this.#options.clock.awake();
    if (this.#restsUntil <= awake) this.#restsUntil = awake + REST_MS;
  }

  async #read(): Promise<void> {
    const timings = await this.#options.timetable();
    this.#entries.clear();
    for (const timing of timings) this.#enter(timing);
    this.#isStale = false;
  }

  #note(name: string, json: string | null): void {
    const before = this.#entries.get(name);
    this.#entries.delete(name);
    if (json === null) return;
    this.#enter(timingIn(json), before);
  }

  #enter({ name, cron, timezone, missed, next_at }: Timing, before?: Entry): void {
    if (next_at === null) return;
    try {
      const isSame = before?.timing.cron === cron && before.timing.timezone === timezone;
      const recurrence = isSame ? before.recurrence : new Recurrence(cron, timezone);
      this.#entries.set(name, { timing: { name, cron, timezone, missed, next_at }, due: next_at, recurrence });
    } catch (error) {
      this.#options.report.failed(`reading the schedule ${name}`, error); // written by another hub, with other zones
    }
  }

  #arm(): void {
    if (this.#isClosed || this.#isLooking) return;
    this.#cancelLook();
    const { now, awake } = momentOf(this.#options.clock);
    const earliest = this.#isStale ? now : Math.min(...[...this.#entries.values()].map(({ due }) => due));
    if (earliest === Number.POSITIVE_INFINITY) return;
    const delay = Math.max(0, this.#restsUntil - awake, Math.min(earliest - now, LOOK_MS));
    this.#cancelLook = this.#options.clock.after(delay, () => void this.#look());
  }

  async #look(): Promise<void> {
    this.#isLooking = true;
    try {
      if (this.#isStale) await this.#read();
      await this.#followClock();
      const settled = await Promise.allSettled(this.#due().map((entry) => this.#fire(entry)));
      const failure = settled.find(({ status }) => status === "rejected");
      if (failure) throw (failure as PromiseRejectedResult).reason;
      this.#sending.succeeded();
    } catch (error) {
      this.#doubt();
      if (!this.#isClosed) this.#sending.failed(error);
    }
    this.#isLooking = false;
    this.#arm();
  }

  #due(): Entry[] {
    const now = this.#options.clock.now();
    const due = [...this.#entries.values()].filter((entry) => entry.due <= now);
    return due.sort((a, b) => a.due - b.due).slice(0, AT_ONCE);
  }

  async #followClock(): Promise<void> {
    const now = this.#options.clock.now();
    if (now < this.#lookedAt) await this.#rewind(now);
    this.#lookedAt = now;
  }

  /** Whatever went on while the clock was ahead goes on from now. */
  async #rewind(now: number): Promise<void> {
    const ahead = [...this.#entries.values()].flatMap(({ timing: { name }, due, recurrence }) => {
      const next = recurrence.nextAfter(now);
      return next !== null && next < due ? [{ op: "schedule_rewind" as const, name, due, next }] : [];
    });
    await Promise.all(ahead.map((command) => this.commit(command)));
  }

  async #fire({ timing: { name, missed }, due, recurrence }: Entry): Promise<void> {
    const now = this.#options.clock.now();
    const isMissed = now - due > MISSED_AFTER_MS;
    const skip = isMissed && missed === "skip" ? "it was missed: the hub was not there at its time" : undefined;
    await this.commit({
      op: "schedule_fire",
      name,
      due,
      next: recurrence.nextAfter(now),
      ...(skip !== undefined && { skip }),
    });
  }
}
