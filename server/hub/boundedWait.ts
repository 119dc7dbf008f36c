/** Waiting that ends: with time, when the caller leaves, or when the hub closes. */
import type { Clock } from "../clock.ts";
import { Cancellation } from "./cancellation.ts";

export class BoundedWait {
  readonly #over = new Cancellation();
  readonly #release: (() => void)[];

  /** @param others end the waiting too. */
  constructor(clock: Clock, waitMs: number, ...others: (Cancellation | undefined)[]) {
    const end = () => this.#over.cancel();
    this.#release = [clock.after(waitMs, end)];
    for (const other of others) if (other) this.#release.push(other.onCancel(end));
  }

  get isOver(): boolean {
    return this.#over.cancelled;
  }

  onOver(listener: () => void): () => void {
    return this.#over.onCancel(listener);
  }

  /** Must be called when the waiting has ended, however it ended. */
  done(): void {
    for (const release of this.#release) release();
  }
}
