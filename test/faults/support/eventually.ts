import { setTimeout } from "node:timers/promises";

const LOOK_MS = 10;
const PATIENCE_MS = 15_000;

/** Looks until something is so. @returns what `look` gives then. @throws Error when it is not in time. */
export async function eventually<T>(what: string, look: () => T | Promise<T>): Promise<NonNullable<T>> {
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    const found = await look();
    if (found) return found;
    if (performance.now() > deadline) throw new Error(`${what}: not so after ${PATIENCE_MS} ms`);
    await setTimeout(LOOK_MS);
  }
}
