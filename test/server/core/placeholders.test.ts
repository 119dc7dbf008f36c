/** Placeholders are found and filled, never executed; time grows with the text and no faster. */
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { onlyPlaceholder, placeholdersIn, render } from "../../../server/core/placeholders.ts";

const MANY = 1_000_000;
const filled = (text: string, values = {}) => render(text, values, 100, "task");

test.each([
  ["scrape {{feed}} now", "scrape rss now"],
  ["{{ feed }}{{\tfeed}}", "rssrss"],
  ["{{hours}} h, {{list}}, {{flag}}, {{none}}", '24 h, ["a",1], true, null'],
  ["no placeholder: { { } } {x} }}", "no placeholder: { { } } {x} }}"],
  ["\\{{feed}}", "{{feed}}"],
  ["\\\\{{feed}}", "\\rss"],
  ["\\\\\\{{feed}}", "\\{{feed}}"],
  ["a \\ b \\n {{feed}}", "a \\ b \\n rss"],
  ['{"a":{{{feed}}}}', '{"a":{rss}}'],
  ["{{feed}}\\{{feed}}{{feed}}", "rss{{feed}}rss"],
  ["\\{{{feed}}", "{{{feed}}"],
])("%j becomes %j", (text, outcome) => {
  expect(filled(text, { feed: "rss", hours: 24, list: ["a", 1], flag: true, none: null })).toBe(outcome);
});

test.each(["{{}}", "{{ }}", "{{9}}", "{{a b}}", "{{a", "{{a}", "{{a.b}}", "{{__proto__}}", "{{a-b}}", "{{{{", "x {{"])(
  "%j is no placeholder, and the sentence says how to write two braces",
  (text) => {
    expect(() => placeholdersIn(text, "task")).toThrow(
      /^task holds ".*", which is no placeholder: write \\\{\{ for two braces$/,
    );
  },
);

test("a value that looks like a placeholder stays what it is", () => {
  const values = { a: "{{b}}", b: "\\{{a}}", constructor: "c" };
  expect(filled("{{a}} {{b}} {{constructor}}", values)).toBe("{{b}} \\{{a}} c");
});

test("any text can be said: escaped, it comes out as it was", () => {
  const braces = fc.string({ unit: fc.constantFrom("\\", "{", "}", "a", " "), maxLength: 12 });
  void fc.assert(
    fc.property(braces, (text) => {
      const escaped = text.replace(/(\\*)\{\{/g, (_, slashes: string) => `${slashes}${slashes}\\{{`);
      expect(filled(escaped)).toBe(text);
    }),
  );
});

test("only a text that is nothing but a placeholder passes a value on as it is", () => {
  expect(["{{a}}", " {{a}}", "{{a}}{{b}}", "a", "", "\\{{a}}"].map((text) => onlyPlaceholder(text, "p"))).toEqual([
    "a",
    ...[undefined, undefined, undefined, undefined, undefined],
  ]);
});

describe("what would grow beyond its limit", () => {
  test("is refused before it is made", () => {
    const text = "{{a}}".repeat(100_000);
    const values = { a: "x".repeat(MANY) }; // a hundred gigabytes
    expect(() => render(text, values, 100, "context")).toThrow(
      "context is longer than 100 bytes once its placeholders",
    );
  });

  test.each([["\\".repeat(MANY)], ["{".repeat(MANY)], ["\\{{".repeat(MANY / 4)], [`{{${" ".repeat(MANY)}`]])(
    "and hostile texts are answered at once (%#)",
    (text) => {
      expect(() => placeholdersIn(text, "task").concat("none")).not.toThrow(RangeError);
    },
  );
});
