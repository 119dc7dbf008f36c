/** What was opened is closed again, newest first, however it ends. */
export class Cleanup {
  readonly #closes: (() => unknown)[] = [];
  #isOver = false;

  /** Has this called at the end; at once when that has come already. */
  defer(close: () => unknown): void {
    if (this.#isOver) void close();
    else this.#closes.push(close);
  }

  async run(): Promise<void> {
    this.#isOver = true;
    for (const close of this.#closes.splice(0).reverse()) await close();
  }
}
