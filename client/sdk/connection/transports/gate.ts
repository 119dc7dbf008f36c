/** Lets one through for each time it is opened. */
export class Gate {
  #open = false;
  #waiting: (() => void) | undefined;

  /** Resolves when it is this caller's turn; never rejects. */
  pass(): Promise<void> {
    if (!this.#open) return new Promise((admit) => (this.#waiting = admit));
    this.#open = false;
    return Promise.resolve();
  }

  open(): void {
    const admit = this.#waiting;
    this.#waiting = undefined;
    if (admit) admit();
    else this.#open = true;
  }
}
