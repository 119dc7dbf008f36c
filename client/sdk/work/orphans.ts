/**
 * *Orphans*: tasks that the hub has in progress for this run, and nobody does. A log that was put back to an earlier state
 * knows nothing of how this run ended them since; and because the run is connected, their leases never run out. So
 * they are given back.
 *
 * A task whose claim is being answered at that moment must not be taken for one. The hub makes claims that travel after a
 * welcome in log entries past the welcome's cursor, so such a task's `seq` tells. Claims that travelled before, on a line
 * that served until then, have to be answered first. Whatever is overtaken even so, the attempt's number fences.
 */
import { LIMITS, type Message, type Params, parseCursor } from "../../../shared/index.ts";
import type { Calls } from "../calls/calls.ts";
import { type Caller, insist } from "../calls/insist.ts";
import { HubClosed } from "../errors.ts";
import type { Holdings } from "./holdings.ts";

export class Orphans {
  readonly #caller: Caller;
  readonly #as: string | undefined;
  readonly #holdings: Holdings;
  readonly #calls: Pick<Calls, "anyInFlight">;
  readonly #report: (error: unknown) => void;
  #epoch: string | undefined;

  /** @param as the name of this instance; an observer is nobody's holder. */
  constructor(
    caller: Caller,
    as: string | undefined,
    holdings: Holdings,
    calls: Pick<Calls, "anyInFlight">,
    report: (error: unknown) => void,
  ) {
    this.#caller = caller;
    this.#as = as;
    this.#holdings = holdings;
    this.#calls = calls;
    this.#report = report;
  }

  /** A session begins at this cursor, before anything travels on its line. In another log than the last one, orphans are given back. */
  welcomed(cursor: string): void {
    const { epoch } = parseCursor(cursor);
    const isAnother = this.#epoch !== undefined && this.#epoch !== epoch;
    this.#epoch = epoch;
    if (!isAnother || this.#as === undefined) return;
    this.#giveBack(cursor).catch((error) => {
      if (!(error instanceof HubClosed)) this.#report(error);
    });
  }

  async #giveBack(beginning: string): Promise<void> {
    const { epoch, seq } = parseCursor(beginning);
    if (this.#calls.anyInFlight) await this.#holdings.answered();
    for (let next: string | undefined; ; ) {
      const page = await insist(this.#caller, "list", { ...HELD, ...(next !== undefined && { next }) });
      if (parseCursor(page.cursor).epoch !== epoch) return; // another log again, and another search
      for (const task of page.messages) if (this.#isOrphan(task, seq)) this.#release(task);
      next = page.next;
      if (next === undefined) return;
    }
  }

  /** What is detached was claimed by somebody without a run, in this name: the hub would let us give that back, too. */
  #isOrphan(task: Message, until: number): boolean {
    const { claimed_by, lease, seq = 0 } = task;
    return claimed_by === this.#as && lease !== "detached" && seq <= until && !this.#holdings.has(task);
  }

  /** The hub refuses it where another run of this name is the holder. */
  #release({ id, attempt }: Message): void {
    this.#caller.call("release", { id, attempt }).catch(() => {});
  }
}

const HELD: Params<"list"> = { status: "in_progress", type: "task", limit: LIMITS.list_messages };
