/** Which tasks this run may hold, by what it asked of the hub: they stay with it only while the hub sees it. */
import type { OperationName } from "../../../shared/index.ts";

/** Whether it gives a task to whoever asks. */
export const isClaim = (operation: OperationName) => operation === "claim" || operation === "claim_next";

const ENDS: ReadonlySet<OperationName> = new Set(["complete", "fail", "release", "cancel", "delete", "update"]);

/** Far more than a run holds at once: what was taken from it without a word is forgotten some time. */
const REMEMBERED = 10_000;

export class Holdings {
  readonly #ids = new Set<string>();
  readonly #changed: () => void;

  /** @param changed is told when the first task is held, and when none is any more. */
  constructor(changed: () => void) {
    this.#changed = changed;
  }

  get any(): boolean {
    return this.#ids.size > 0;
  }

  /**
   * Takes notice of what an operation does. Whatever comes of one that ends a claim: it is not this run's any more, or was not.
   *
   * @returns the answer.
   */
  follow<T>(operation: OperationName, params: object, answer: Promise<T>): Promise<T> {
    const { id, status } = params as { id?: string; status?: string };
    const over = () => this.#lost(id);
    if (isClaim(operation) || status === "in_progress") answer.then((task) => this.#gained(task), ignore);
    else if (ENDS.has(operation)) answer.then(over, over);
    return answer;
  }

  #gained(task: unknown): void {
    if (task === null) return;
    this.#ids.add((task as { id: string }).id);
    if (this.#ids.size > REMEMBERED) this.#ids.delete(this.#ids.values().next().value as string);
    if (this.#ids.size === 1) this.#changed();
  }

  #lost(id: string | undefined): void {
    if (id !== undefined && this.#ids.delete(id) && this.#ids.size === 0) this.#changed();
  }
}

/** Whoever asked hears of it. */
const ignore = () => {};
