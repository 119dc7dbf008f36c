/** Which tasks this run may hold, judged by its calls: they stay with it only while the hub sees it. */
import type { Message, OperationName } from "../../../shared/index.ts";
import { isClaim } from "../calls/call.ts";
import { ChurnSet } from "../churn.ts";

const ENDS: ReadonlySet<OperationName> = new Set(["complete", "fail", "release", "cancel", "delete", "update"]);

/** Far more than a run holds at once: what it lost without being told is forgotten at some point. */
const REMEMBERED = 10_000;

type Held = Pick<Message, "id" | "attempt">;

export class Holdings {
  /** The attempt number by task id. */
  readonly #held = new Map<string, number | undefined>();
  /** Claims without an answer. */
  readonly #asked = new ChurnSet<Promise<unknown>>();
  readonly #changed: () => void;

  /** @param changed is called when the first task is held, and when the last one is gone. */
  constructor(changed: () => void) {
    this.#changed = changed;
  }

  get any(): boolean {
    return this.#held.size > 0;
  }

  /** Whether this run may be at this attempt. */
  has({ id, attempt }: Held): boolean {
    return this.#held.has(id) && this.#held.get(id) === attempt;
  }

  /** Resolves when all claims that were asked for are answered, or have failed. */
  async answered(): Promise<void> {
    await Promise.allSettled([...this.#asked]);
  }

  /**
   * Tracks claims by watching operations. After one that ends a claim, successful or not, this run no longer holds the
   * task.
   *
   * @returns the answer.
   */
  follow<T>(operation: OperationName, params: object, answer: Promise<T>): Promise<T> {
    const { id } = params as { id?: string };
    const over = () => this.#lost(id);
    if (isClaim(operation, params)) this.#await(answer);
    else if (ENDS.has(operation)) answer.then(over, over);
    return answer;
  }

  #await(answer: Promise<unknown>): void {
    const answered = this.#asked.add(answer);
    answer.then((task) => {
      answered();
      this.#gained(task as Held | null);
    }, answered); // the caller learns of a failure
  }

  #gained(task: Held | null): void {
    if (task === null) return;
    this.#held.set(task.id, task.attempt);
    if (this.#held.size > REMEMBERED) this.#held.delete(this.#held.keys().next().value as string);
    if (this.#held.size === 1) this.#changed();
  }

  #lost(id: string | undefined): void {
    if (id !== undefined && this.#held.delete(id) && this.#held.size === 0) this.#changed();
  }
}
