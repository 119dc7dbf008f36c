/**
 * Tasks that wait for others (`after`).
 *
 * Vocabulary: a task *waits* for those it *awaits*; one that is over is *settled*. A settled one that completed lets
 * its waiters go on; one that failed or is gone fails them, which settles them in turn.
 *
 * Invariants: what a task awaits exists when it is sent, so nothing can ever wait in a circle. A row of the ledger
 * stands for each awaited message that is not settled, and `blocked` counts them. One batch settles a bounded number,
 * and whatever was complete when it was deleted; the rest is due at once, also after a restart.
 */
import { HubError } from "../../../shared/errors.ts";
import { LIMITS } from "../../../shared/limits.ts";
import type { Decision } from "../../core/decision.ts";
import { failedByDependency, unblocked } from "../../core/dependency.ts";
import { type Circumstances, isOver, type MessageState } from "../../core/message.ts";
import type { Ledger } from "./ledger.ts";

/** Roughly how many messages one batch settles. */
const SETTLE_BATCH = 500;

/** What keeps a task from starting. */
export interface Obstacles {
  /** Awaited, and not settled yet. */
  open: string[];
  /** Awaited, and failed for good. */
  failed: string | undefined;
}

export const NO_OBSTACLES: Obstacles = { open: [], failed: undefined };

type Apply = (before: MessageState, decision: Decision) => unknown;

export class Dependencies {
  readonly #ledger: Ledger;
  /** What is over but not yet settled; `complete` if it was seen to be, since it may be gone by now. */
  #settled: { id: string; complete: boolean }[] = [];
  /** Complete, and deleted in this batch: after a restart nobody would know that they were complete. */
  #gone: string[] = [];

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
    this.reset();
  }

  /** Starts over from what the tables hold. */
  reset(): void {
    this.#settled = this.#ledger.waits.awaited().map((id) => ({ id, complete: false })); // what settled before a restart
    this.#gone = [];
  }

  /** Whether something is to be settled in the next batch. */
  get isBehind(): boolean {
    return this.#settled.length > 0 || this.#gone.length > 0;
  }

  /**
   * What a task has to wait for.
   *
   * @throws HubError `not_found` when one of them does not exist.
   */
  obstacles(after: readonly string[] | null | undefined): Obstacles {
    if (!after) return NO_OBSTACLES;
    const awaited = [...new Set(after)].map((id) => this.#awaited(id));
    const failed = awaited.find(({ status }) => status === "failed")?.id;
    const open = awaited.filter(({ status }) => status === "pending" || status === "in_progress");
    return { open: open.map(({ id }) => id), failed };
  }

  #awaited(id: string): MessageState {
    const state = this.#ledger.message(id);
    if (!state) throw new HubError("not_found", `after: there is no message ${id} to wait for`, { field: "after", id });
    return state;
  }

  /** Why nothing more may wait for these. */
  refusal(after: readonly string[] | null | undefined): HubError | undefined {
    if (!after || !this.#ledger.waits.any) return undefined;
    const id = after.find((one) => this.#ledger.waits.count(one) >= LIMITS.dependents);
    if (id === undefined) return undefined;
    const sentence = `after: ${LIMITS.dependents} tasks wait for ${id} already`;
    return new HubError("invalid_params", sentence, { field: "after", id });
  }

  /** Notes what became of a message. */
  readonly observe = (before: MessageState, id: string, after: MessageState | null): void => {
    if (!this.#ledger.waits.any || (after && !isOver(after))) return;
    if (before.blocked > 0) this.#ledger.waits.drop(id);
    if (after === null && before.status === "complete") this.#gone.push(id);
    else this.#settled.push({ id, complete: after?.status === "complete" });
  };

  /** Releases tasks whose wait is over, and fails those that wait in vain. */
  settle(apply: Apply, c: Circumstances): void {
    let settled = 0;
    for (const id of this.#gone.splice(0)) {
      for (const waiter of this.#waitersOf(id)) apply(waiter, unblocked(waiter, c.now));
    }
    while (settled < SETTLE_BATCH && this.#settled.length > 0) {
      const { id, complete } = this.#settled.shift() as { id: string; complete: boolean };
      settled++;
      const awaited = this.#ledger.message(id);
      if (awaited && !isOver(awaited)) continue; // still open, or given another try
      const isComplete = complete || awaited?.status === "complete";
      for (const waiter of this.#waitersOf(id)) {
        apply(waiter, isComplete ? unblocked(waiter, c.now) : failedByDependency(waiter, id, c));
        settled++;
      }
    }
  }

  #waitersOf(id: string): MessageState[] {
    const waiters = this.#ledger.waits.take(id).map((waiter) => this.#ledger.message(waiter));
    return waiters.filter((state) => state?.status === "pending" && state.blocked > 0) as MessageState[];
  }
}
