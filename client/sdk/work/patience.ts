/** Waits for promises, until all waiting is ended. On the way of every task: one promise and no more. */
export class Patience {
  readonly #waits = new Set<() => void>();
  #isOver = false;

  /** @returns what was waited for; `otherwise` when the waiting was ended. @throws as `wait` does. */
  lasts<T, O>(wait: Promise<T>, otherwise: O): Promise<T | O> {
    if (this.#isOver) return Promise.race([wait, otherwise]);
    return new Promise((resolve, reject) => {
      const giveUp = () => resolve(otherwise);
      this.#waits.add(giveUp);
      const over = (settle: () => void) => {
        this.#waits.delete(giveUp);
        settle();
      };
      wait.then(
        (value) => over(() => resolve(value)),
        (error) => over(() => reject(error)),
      );
    });
  }

  /** Nothing is waited for any longer. */
  end(): void {
    this.#isOver = true;
    for (const giveUp of this.#waits) giveUp();
  }
}
