import { expect, test } from "vitest";
import { nearest } from "../../shared/suggest.ts";

test.each([
  ["to", ["id", "task", "to_claude"], "to_claude"],
  ["From", ["form", "from_claude"], "from_claude"],
  ["timeout", ["timeout_ms"], "timeout_ms"],
  ["t", ["to_claude"], undefined],
  ["limt", ["limit", "limit_ms"], "limit"],
  ["pririty", ["order", "priority"], "priority"],
  ["colour", ["limit", "offset"], undefined],
])("nearest to %j of %j is %j", (name, known, expected) => {
  expect(nearest(name, known)).toBe(expected);
});
