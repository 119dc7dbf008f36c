import { setTimeout } from "node:timers/promises";
import type { ManualClock } from "../../support/clock.ts";

/** Lets a manual clock run for so long, slowly enough for real peers to answer what it sets off, such as pings. */
export async function pass(clock: ManualClock, ms: number): Promise<void> {
  const STEP_MS = 1_000;
  for (let left = ms; left > 0; left -= STEP_MS) {
    clock.advance(Math.min(STEP_MS, left));
    await setTimeout(1);
  }
}
