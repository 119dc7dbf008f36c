import { expect, it } from "vitest";
import { sleep, systemClock } from "../../../client/sdk/clock.ts";
import { defer } from "../../support/defer.ts";

it("has for ever take long", async () => {
  let isOver = false;
  const callOff = systemClock.after(Number.POSITIVE_INFINITY, () => {
    isOver = true;
  });
  defer(callOff);
  await sleep(systemClock, 1);
  await sleep(systemClock, 1);
  expect(isOver).toBe(false);
});
