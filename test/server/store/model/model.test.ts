/**
 * Random walks over each store, held against a model that knows nothing of the core. A walk that fails is shortened
 * to the fewest steps; `SEED=…` repeats it.
 */
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { makeIds } from "../../../../server/store/engine/ids.ts";
import { SqliteStore } from "../../../../server/store/sqlite/sqliteStore.ts";
import { seed } from "../../../support/random.ts";
import { tempDir } from "../../../support/tempDir.ts";
import { LEASE } from "../../core/support.ts";
import { StoreDriver } from "../driver.ts";
import { MemoryStore } from "../memory/memoryStore.ts";
import { type Step, walks } from "./steps.ts";
import { type OpenStore, Walk } from "./walk.ts";

/** After this a failing walk is shortened no further. */
const PATIENCE_MS = 30_000;

const run = (open: () => OpenStore, steps: fc.Arbitrary<Step[]>, numRuns: number) =>
  fc.assert(
    fc.asyncProperty(steps, (walk) => Walk.run(open(), walk)),
    { seed, numRuns, interruptAfterTimeLimit: PATIENCE_MS },
  );

test("MemoryStore", { timeout: 60_000 }, async () => {
  const newStore = () => new MemoryStore({ lease: LEASE, newId: makeIds(), random: Math.random });
  await run(() => () => new StoreDriver(newStore()).open(), walks({ restarts: false, maxLength: 40 }), 500);
});

test("SqliteStore, closed and opened again on the way", { timeout: 60_000 }, async () => {
  const folder = tempDir();
  let files = 0;
  const open = (): OpenStore => {
    const file = join(folder, `${files++}.db`);
    return (before) => new StoreDriver(new SqliteStore({ file, lease: LEASE }), before?.clock).open();
  };
  await run(open, walks({ restarts: true, maxLength: 80 }), 8);
  expect(files).toBeGreaterThanOrEqual(8);
});
