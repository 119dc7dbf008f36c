import fc from "fast-check";
import { expect, test } from "vitest";
import { iso } from "../../../../server/iso.ts";
import { quoted } from "../../../../server/store/json/messageJson.ts";
import { seed } from "../../../support/random.ts";

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

test("any text is told as JSON tells it", () => {
  const likely = fc.constantFrom(...'"\\\0\n\u007f\u2028\ud800ä~!#[]^');
  const anyText = fc.oneof(fc.string({ unit: "binary" }), fc.string({ unit: likely }));
  const isToldAsJson = (text: string) => quoted(text) === JSON.stringify(text);
  fc.assert(fc.property(anyText, isToldAsJson), { seed, numRuns: 500 });
});
