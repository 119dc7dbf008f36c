/** Every try of every task, as the log tells of it. */
import type { Event, EventKind } from "../../../shared/event.ts";

export interface Try {
  readonly id: string;
  readonly attempt: number;
  /** The name of who claimed it. */
  readonly by: string;
  readonly from: number;
  /** When it ended first: a try that was taken back may still be completed before the next one. */
  to: number;
  /** How it ended first. */
  end?: EventKind;
  /** What it was completed with. */
  result?: string | undefined;
  /** What it was refused with. */
  late?: string | undefined;
}

const ENDS: ReadonlySet<EventKind> = new Set(["completed", "failed", "released", "requeued", "cancelled", "deleted"]);

/** By task and attempt. */
export class Tries {
  readonly #tries = new Map<string, Try>();

  constructor(events: readonly Event[]) {
    for (const event of events) this.#take(event);
  }

  get all(): Iterable<Try> {
    return this.#tries.values();
  }

  of(id: string, attempt: number): Try | undefined {
    return this.#tries.get(keyOf(id, attempt));
  }

  #take({ kind, at, actor = "", message: { id, attempt = 0, result, late_attempt = 0 } }: Event): void {
    const when = Date.parse(at);
    if (kind === "claimed") {
      const begun = { id, attempt, by: actor, from: when, to: Number.POSITIVE_INFINITY };
      this.#tries.set(keyOf(id, attempt), begun);
    }
    const meant = this.of(id, kind === "late" ? late_attempt : attempt);
    if (!meant) return;
    if (kind === "late") meant.late = result;
    if (kind === "completed") meant.result = result;
    if (ENDS.has(kind) && !meant.end) Object.assign(meant, { to: when, end: kind });
  }
}

const keyOf = (id: string, attempt: number) => `${id} ${attempt}`;
