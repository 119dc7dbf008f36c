/**
 * *Orphans*: tasks that the hub has in progress for this run, although nobody does them. A log that was put back to an
 * earlier state does not know how this run ended them since; and because the run is connected, their leases never run
 * out. So they are given back.
 *
 * A task whose claim is being answered at that moment must not be taken for one. The hub logs claims that are sent
 * after a welcome past the welcome's cursor, so such a task's `seq` tells. Claims that were sent before, on a line that
 * served until then, have to be answered first. If one is overtaken all the same, the attempt's number fences it.
 */
import { LIMITS, type Message, type Params, parseCursor } from "../../../shared/index.ts";
import type { Calls } from "../calls/calls.ts";
import { type Caller, insist } from "../calls/insist.ts";
import { HubClosed, isGone } from "../errors.ts";
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

  /**
   * A session begins at this cursor, before anything is sent on its line. If the log is another one, gives orphans
   * back.
   */
  welcomed(cursor: string): void {
    const { epoch } = parseCursor(cursor);
    const isAnother = this.#epoch !== undefined && this.#epoch !== epoch;
    this.#epoch = epoch;
    if (!isAnother || this.#as === undefined) return;
    this.#giveBack(cursor).catch(this.#failed);
  }

  async #giveBack(beginning: string): Promise<void> {
    const { epoch, seq } = parseCursor(beginning);
    if (this.#calls.anyInFlight) await this.#holdings.answered();
    for (let next: string | undefined; ; ) {
      const page = await insist(this.#caller, "list", { ...HELD, ...(next !== undefined && { next }) });
      if (parseCursor(page.cursor).epoch !== epoch) return; // another log again, and another search
      for (const task of page.messages) if (this.#isOrphan(task, seq)) void this.#release(task);
      next = page.next;
      if (next === undefined) return;
    }
  }

  /** A detached task was claimed without a run, under this name: the hub would let us give that back, too. */
  #isOrphan(task: Message, until: number): boolean {
    const { claimed_by, lease, seq = 0 } = task;
    return claimed_by === this.#as && lease !== "detached" && seq <= until && !this.#holdings.has(task);
  }

  /** The hub refuses it where another run of this name is the holder. */
  #release({ id, attempt }: Message): Promise<unknown> {
    return insist(this.#caller, "release", { id, attempt }).catch(this.#failed);
  }

  readonly #failed = (error: unknown) => {
    if (!(error instanceof HubClosed || isGone(error))) this.#report(error);
  };
}

const HELD: Params<"list"> = { status: "in_progress", type: "task", limit: LIMITS.list_messages };
