import { ChurnSet } from "../churn.ts";

/** Waits for promises, until all waiting is ended. */
export class Patience {
  readonly #waits = new ChurnSet<() => void>();
  #isOver = false;

  /** @returns what was waited for; `otherwise` when the waiting was ended. @throws as `wait` does. */
  lasts<T, O>(wait: Promise<T>, otherwise: O): Promise<T | O> {
    if (this.#isOver) return Promise.race([wait, otherwise]);
    return new Promise((resolve, reject) => {
      const over = this.#waits.add(() => resolve(otherwise));
      wait.then(resolve, reject);
      wait.then(over, over);
    });
  }

  /** Nothing is waited for any longer. */
  end(): void {
    this.#isOver = true;
    for (const giveUp of this.#waits) giveUp();
  }
}
