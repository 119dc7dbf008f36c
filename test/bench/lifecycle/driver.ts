/** One task lifecycle, as each system does it at its best: send → claim → complete → the sender is told. */

import { ChurnMap } from "../../../client/sdk/churn.ts";

/** What every system carries. */
export const TASK = "Read the open pull requests and say which of them need a review today.".padEnd(100, ".");
export const RESULT = "three of them need a review".padEnd(30, ".");

/** A sender and a worker in one process, over connections of their own. */
export interface Driver {
  /** Sends one task, and resolves when its sender was told that it is complete. */
  run(): Promise<void>;
  close(): Promise<void>;
}

/** Connects to the server on `port`; the worker takes up to `inFlight` tasks at once. */
export type OpenDriver = (port: number, inFlight: number) => Promise<Driver>;

/** Resolvers by id, where the notification may come before or after the id is known. */
export class Waiting {
  readonly #resolvers = new ChurnMap<string, () => void>();
  readonly #early = new Set<string>();

  /** Resolves once `arrived(id)` was called. */
  for(id: string): Promise<void> {
    if (this.#early.delete(id)) return Promise.resolve();
    return new Promise((resolve) => this.#resolvers.set(id, resolve));
  }

  arrived(id: string): void {
    const resolve = this.#resolvers.get(id);
    if (resolve === undefined) this.#early.add(id);
    else resolve();
    this.#resolvers.delete(id);
  }
}
