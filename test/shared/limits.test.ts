import * as fc from "fast-check";
import { expect, test } from "vitest";
import { assertLimitsAgree, fits, jsonBytes, LIMITS } from "../../shared/limits.ts";
import { seed } from "../support/random.ts";

const anyText = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.string({ unit: fc.constantFrom("\0", '"', "\\", "é", "😀") }),
);
const encoded = (text: string) => Buffer.byteLength(JSON.stringify(text)) - 2;

test("jsonBytes is the size of the JSON encoding, whatever the text", async () => {
  await fc.assert(
    fc.property(anyText, (text) => {
      expect(jsonBytes(text)).toBe(encoded(text));
    }),
    { seed, numRuns: 2_000 },
  );
});

test("jsonBytes knows every character of the first plane", () => {
  for (let unit = 0; unit <= 0xffff; unit++) {
    if (unit >= 0xd800 && unit <= 0xdfff) continue; // lone surrogates are refused before they are counted
    const text = String.fromCharCode(unit);
    if (jsonBytes(text) !== encoded(text)) expect.fail(`U+${unit.toString(16)}`);
  }
});

test("fits says exactly whether the encoding is within the limit", async () => {
  await fc.assert(
    fc.property(anyText, fc.integer({ min: -2, max: 2 }), (text, off) => {
      expect(fits(text, encoded(text) + off)).toBe(off >= 0);
    }),
    { seed, numRuns: 2_000 },
  );
});

test("the limits agree, and a contradiction is found", () => {
  expect(() => assertLimitsAgree()).not.toThrow();
  for (const contradiction of [
    { result_bytes: LIMITS.frame_bytes },
    { task_bytes: 2 * LIMITS.frame_bytes },
    { page_bytes: LIMITS.frame_bytes },
    { macro_bytes: LIMITS.frame_bytes / 2 },
    { frame_bytes: LIMITS.context_bytes + LIMITS.result_bytes },
  ]) {
    expect(() => assertLimitsAgree({ ...LIMITS, ...contradiction })).toThrow(/limits disagree: .* a frame only \d+/);
  }
});
