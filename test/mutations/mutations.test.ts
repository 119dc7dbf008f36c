/** The list of bugs grows old with the code that it speaks of: each must be one that can be planted today. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { repository } from "../support/repository.ts";
import { ALL_MUTATIONS } from "./all.ts";

test.each(ALL_MUTATIONS)("can be planted: $breaks", ({ file, search, replace }) => {
  const source = readFileSync(`${repository}${file}`, "utf8");
  expect(source.split(search)).toHaveLength(2);
  expect(replace).not.toBe(search);
});

test("each breaks something of its own", () => {
  expect(new Set(ALL_MUTATIONS.map(({ breaks }) => breaks)).size).toBe(ALL_MUTATIONS.length);
});
