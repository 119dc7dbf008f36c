/**
 * A change of the wire moves `PROTOCOL_VERSION`, and these two facts are kept together in `wire-schema.hash.json`.
 * After raising the version (and adding its line of history):
 *
 *     WIRE_HASH=update npx vitest run test/shared/protocolVersion.test.ts
 *
 * While the present version has never been released, `WIRE_HASH=unreleased` writes the hash under the same version.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import * as z from "zod";
import { PROTOCOL_VERSION } from "../../shared/protocol.ts";
import { repository } from "../support/repository.ts";
import { canonical, wireHash } from "./wireSchema.ts";

interface Recorded {
  version: number;
  hash: string;
}

const FILE = `${repository}test/shared/wire-schema.hash.json`;
const COMMAND = "WIRE_HASH=update npx vitest run test/shared/protocolVersion.test.ts";

/** What stands against writing or keeping the recorded pair; undefined when nothing does. */
function objection(recorded: Recorded, present: Recorded, mode?: string): string | undefined {
  const [moved, changed] = [recorded.version !== present.version, recorded.hash !== present.hash];
  if (present.version < recorded.version) return `the version went back from ${recorded.version} to ${present.version}`;
  if (changed && !moved && mode !== "unreleased") {
    return `the wire changed: raise PROTOCOL_VERSION in shared/protocol.ts, then ${COMMAND} (the top of this test says more)`;
  }
  if (mode === undefined && (moved || changed)) return `the recorded hash is old: ${COMMAND}`;
  return undefined;
}

test("the wire changes only together with the protocol's version", () => {
  const recorded = JSON.parse(readFileSync(FILE, "utf8")) as Recorded;
  const present = { version: PROTOCOL_VERSION, hash: wireHash() };
  const mode = process.env.WIRE_HASH || undefined;
  expect(objection(recorded, present, mode)).toBeUndefined();
  if (mode) writeFileSync(FILE, `${JSON.stringify(present, null, 2)}\n`);
});

describe("the rule", () => {
  const recorded = { version: 1, hash: "a" };
  test.each([
    ["nothing changed", { version: 1, hash: "a" }, undefined, undefined],
    ["a changed wire", { version: 1, hash: "b" }, undefined, /raise PROTOCOL_VERSION/],
    ["a changed wire, written without a new version", { version: 1, hash: "b" }, "update", /raise PROTOCOL_VERSION/],
    ["a changed wire of an unreleased version", { version: 1, hash: "b" }, "unreleased", undefined],
    ["a new version not yet recorded", { version: 2, hash: "b" }, undefined, /recorded hash is old/],
    ["a new version", { version: 2, hash: "b" }, "update", undefined],
    ["an older version", { version: 0, hash: "b" }, "update", /went back/],
  ])("%s", (_, present, mode, expected) => {
    const said = objection(recorded, present, mode);
    if (expected) expect(said).toMatch(expected);
    else expect(said).toBeUndefined();
  });
});

describe("the canonical form", () => {
  const form = (schema: z.ZodType) => JSON.stringify(canonical(z.toJSONSchema(schema, { io: "input" })));
  const before = form(z.strictObject({ a: z.string(), b: z.int().optional(), description: z.string() }));

  test("is blind to words and order", () => {
    const same = z.strictObject({ description: z.string(), b: z.int().optional().describe("B."), a: z.string() });
    expect(form(same.describe("Documented."))).toBe(before);
  });

  test.each([
    ["a new field", z.strictObject({ a: z.string(), b: z.int().optional(), description: z.string(), c: z.null() })],
    ["a field gone", z.strictObject({ a: z.string(), b: z.int().optional() })],
    ["another type", z.strictObject({ a: z.string(), b: z.string().optional(), description: z.string() })],
    ["required now", z.strictObject({ a: z.string(), b: z.int(), description: z.string() })],
    [
      "a field that is named like a description",
      z.strictObject({ a: z.string(), b: z.int().optional(), description: z.int() }),
    ],
    ["open now", z.looseObject({ a: z.string(), b: z.int().optional(), description: z.string() })],
    ["a tighter bound", z.strictObject({ a: z.string().max(9), b: z.int().optional(), description: z.string() })],
  ])("sees %s", (_, changed) => {
    expect(form(changed)).not.toBe(before);
  });
});
