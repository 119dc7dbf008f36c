import fc from "fast-check";
import { expect, test } from "vitest";
import { iso } from "../../../server/store/messageJson.ts";
import { seed } from "../../support/random.ts";

test("times are told in ISO 8601, whatever was told before in the same place of memory", () => {
  const anyTime = fc.integer({ min: Date.UTC(1969, 0), max: Date.UTC(9999, 0) });
  fc.assert(
    fc.property(anyTime, fc.integer({ min: -3, max: 3 }), (ms, rounds) => {
      const sameSlot = ms + rounds * 4096;
      expect([iso(ms), iso(sameSlot), iso(ms)]).toEqual([ms, sameSlot, ms].map((at) => new Date(at).toISOString()));
    }),
    { seed, numRuns: 500 },
  );
});
