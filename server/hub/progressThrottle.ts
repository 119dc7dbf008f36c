/**
 * Throttles progress: of what a worker reports about one task within a second, the first is written at once and the
 * newest at the second's end, so that a chatty worker costs nobody else; or earlier, if the task ends, so that its last
 * report is in the message. Every report is answered when the newest is durable.
 */
import type { Clock } from "../clock.ts";
import type { Shown } from "../store/outcomes.ts";
import { withResolvers } from "../withResolvers.ts";

const INTERVAL_MS = 1_000;

/** The newest report that waits for the end of its second. */
interface Waiting {
  write: () => Promise<Shown>;
  readonly written: Promise<Shown>;
  readonly resolve: (written: Promise<Shown>) => void;
}

export class ProgressThrottle {
  readonly #clock: Clock;
  /** What was written within the last second, by task and who reported it; for each, what waits. */
  readonly #recent = new Map<string, Map<string, Waiting | undefined>>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * @param id the task.
   * @param reporter who reports: a stranger's word never takes the holder's place.
   * @returns the outcome of writing the newest.
   */
  report(id: string, reporter: string, write: () => Promise<Shown>): Promise<Shown> {
    const reports = this.#recent.get(id);
    const waiting = reports?.get(reporter);
    if (waiting) {
      waiting.write = write;
      return waiting.written;
    }
    if (reports?.has(reporter)) return wait(reports, reporter, write);
    this.#begin(id, reporter);
    return write();
  }

  /** What waits is written now, because somebody is about to end the task. */
  flush(id: string): void {
    const reports = this.#recent.get(id);
    if (!reports) return;
    for (const [reporter, waiting] of reports) {
      if (!waiting) continue;
      reports.set(reporter, undefined);
      waiting.resolve(waiting.write());
    }
  }

  #begin(id: string, reporter: string): void {
    const reports = this.#recent.get(id) ?? new Map<string, Waiting | undefined>();
    this.#recent.set(id, reports.set(reporter, undefined));
    this.#clock.after(INTERVAL_MS, () => this.#end(id, reporter));
  }

  #end(id: string, reporter: string): void {
    const reports = this.#recent.get(id);
    const waiting = reports?.get(reporter);
    reports?.delete(reporter);
    if (reports?.size === 0) this.#recent.delete(id);
    if (!waiting) return;
    this.#begin(id, reporter);
    waiting.resolve(waiting.write());
  }
}

function wait(
  reports: Map<string, Waiting | undefined>,
  reporter: string,
  write: () => Promise<Shown>,
): Promise<Shown> {
  const { promise: written, resolve } = withResolvers<Shown>();
  reports.set(reporter, { write, written, resolve });
  return written;
}
