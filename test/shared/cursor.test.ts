import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { formatCursor, isCursor, parseCursor } from "../../shared/cursor.ts";
import { HubError } from "../../shared/errors.ts";
import { seed } from "../support/random.ts";

const epoch = fc.string({ unit: fc.constantFrom(..."0123456789abcdef"), minLength: 12, maxLength: 12 });
const seq = fc.integer({ min: 0, max: 999_999_999_999_999 });

test("a cursor comes back as it went, and needs no escaping in a URL", async () => {
  await fc.assert(
    fc.property(epoch, seq, (epoch, seq) => {
      const cursor = formatCursor(epoch, seq);
      expect(parseCursor(cursor)).toEqual({ epoch, seq });
      expect(isCursor(cursor)).toBe(true);
      expect(encodeURIComponent(cursor)).toBe(cursor);
    }),
    { seed },
  );
});

test("each cursor has one spelling", async () => {
  await fc.assert(
    fc.property(fc.string(), (text) => {
      if (!isCursor(text)) return;
      const { epoch, seq } = parseCursor(text);
      expect(formatCursor(epoch, seq)).toBe(text);
    }),
    { seed },
  );
});

const E = "0123456789ab";

describe("refuses what no hub gave:", () => {
  test.each([
    "",
    ".",
    "start",
    E,
    `${E}.`,
    ".5",
    "5",
    `${E}.-1`,
    `${E}.+1`,
    `${E}.01`,
    `${E}.1.0`,
    `${E}.1e3`,
    `${E}.0x1`,
    `${E}.1000000000000000`,
    `${E}.NaN`,
    `${E}.٣`,
    `${E}.1\n`,
    `\n${E}.1`,
    ` ${E}.1`,
    `${E}.1 `,
    `${E}.1\0`,
    `${E}:1`,
    `${E.toUpperCase()}.1`,
    `${E}c.1`,
    `${E.slice(1)}.1`,
    "0123456789ag.1",
    `${E}.${"9".repeat(40)}`,
  ])("%j", (text) => {
    expect(isCursor(text)).toBe(false);
    expect(() => parseCursor(text, "resume")).toThrow(
      new HubError("invalid_params", "resume is not a cursor: use one that the hub gave, unchanged", {
        field: "resume",
      }),
    );
  });
});
