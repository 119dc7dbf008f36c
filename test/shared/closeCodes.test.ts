import { describe, expect, test } from "vitest";
import { afterClose, CLOSE } from "../../shared/closeCodes.ts";

const rows = Object.values(CLOSE);

test("each code stands in the table once", () => {
  expect(new Set(rows.map((row) => row.code)).size).toBe(rows.length);
});

describe.each(rows)("$code $reason", ({ code, reason, client }) => {
  test("may be sent, and its reason fits a close frame", () => {
    const reserved = [1004, 1005, 1006, 1015].includes(code);
    expect((code >= 1000 && code <= 1014 && !reserved) || (code >= 4000 && code <= 4999)).toBe(true);
    expect(Buffer.byteLength(reason)).toBeLessThanOrEqual(123);
  });

  test("is obeyed", () => {
    expect(afterClose(code)).toBe(client);
  });

  test("means the same to an old client, which knows its range only", () => {
    if (code < 4000) return;
    expect(client === "stop").toBe(code >= 4500);
  });
});

test.each([
  [4499, "return"],
  [4500, "stop"],
  [4999, "stop"],
  [1006, "return"],
  [1011, "return"],
  [3000, "return"],
])("the unknown code %i: %s", (code, client) => {
  expect(rows.some((row) => row.code === code && row.client !== client)).toBe(false);
  expect(afterClose(code)).toBe(client);
});
