import { describe, expect, test } from "vitest";
import type { HubError } from "../../shared/errors.ts";
import { parseJson } from "../../shared/json.ts";
import { LIMITS } from "../../shared/limits.ts";

function codeOf(text: string): string {
  try {
    parseJson(text);
  } catch (error) {
    return (error as HubError).code;
  }
  return "parsed";
}

const nestings = {
  arrays: (depth: number) => "[".repeat(depth) + "]".repeat(depth),
  objects: (depth: number) => `${'{"a":'.repeat(depth)}1${"}".repeat(depth)}`,
  "both, beside shallow values": (depth: number) =>
    `${'[1,{"s":"x","a":'.repeat(depth / 2)}null${"},[]]".repeat(depth / 2)}`,
};

describe.each(Object.entries(nestings))("nested %s", (_, nested) => {
  test("pass up to the limit", () => {
    expect(codeOf(nested(LIMITS.json_depth))).toBe("parsed");
  });
  test.each([2, 1_000, 30_000])("are too deep %i levels beyond it", (beyond) => {
    expect(codeOf(nested(LIMITS.json_depth + beyond))).toBe("too_deep");
  });
});

test("one level beyond the limit is too deep", () => {
  expect(codeOf(nestings.arrays(LIMITS.json_depth + 1))).toBe("too_deep");
});

test.each([
  "",
  " ",
  "{",
  "[".repeat(30_000),
  "{'a':1}",
  "[1,]",
  "NaN",
  "undefined",
  '"\n"',
  "1 2",
  "\u00001",
  "\ufeff1",
])("%j is not JSON", (text) => {
  expect(codeOf(text)).toBe("bad_json");
});

test("values come through unchanged", () => {
  const value = { text: "é\u0000😀", list: [1, null, true, -0.5], nested: { "": [[]] } };
  expect(parseJson(JSON.stringify(value))).toEqual(value);
});

test("a key named __proto__ is data", () => {
  const value = parseJson('{"__proto__":{"admin":true}}') as Record<string, unknown>;
  expect(value.admin).toBeUndefined();
  expect(Object.keys(value)).toEqual(["__proto__"]);
});
