/** Waits for promises, until all waiting is ended. */
export class Patience {
  readonly #waits = new Set<() => void>();
  #isOver = false;

  /** @returns what was waited for; `otherwise` when the waiting was ended. @throws as `wait` does. */
  async lasts<T, O>(wait: Promise<T>, otherwise: O): Promise<T | O> {
    let giveUp = () => {};
    const givenUp = new Promise<O>((resolve) => {
      giveUp = () => resolve(otherwise);
    });
    if (this.#isOver) giveUp();
    this.#waits.add(giveUp);
    try {
      return await Promise.race([wait, givenUp]);
    } finally {
      this.#waits.delete(giveUp);
    }
  }

  /** Nothing is waited for any longer. */
  end(): void {
    this.#isOver = true;
    for (const giveUp of this.#waits) giveUp();
  }
}
