import { describe, expect, test } from "vitest";
import {
  ERRORS,
  type ErrorCode,
  fromRestError,
  fromRpcError,
  HubError,
  toRestError,
  toRpcError,
  type WireError,
} from "../../shared/errors.ts";

const codes = Object.keys(ERRORS) as ErrorCode[];
const overTheWire = <T>(value: T): T => JSON.parse(JSON.stringify(value));

describe.each(codes)("%s", (code) => {
  const row = ERRORS[code];
  const wires: WireError[] = [
    { code, message: "What happened." },
    { code, message: "What happened.", details: { field: "limit", code: "not_found", nested: [1] } },
  ];

  test("survives JSON-RPC and REST, with and without details", () => {
    for (const wire of wires) {
      for (const error of [
        fromRpcError(overTheWire(toRpcError(wire))),
        fromRestError(overTheWire(toRestError(wire))),
        HubError.fromWire(overTheWire(wire)),
      ]) {
        expect(error).toBeInstanceOf(HubError);
        expect(error.toWire()).toEqual(wire);
        expect(error.retryable).toBe(row.retryable);
      }
    }
  });

  test("has its JSON-RPC code, and a REST body of the document's shape", () => {
    expect(toRpcError(wires[0] as WireError)).toEqual({ code: row.rpc, message: "What happened.", data: { code } });
    expect(toRestError(wires[0] as WireError)).toEqual({ success: false, error: "What happened.", code });
  });

  test("has codes of the right kind and says what to do", () => {
    expect(row.http).toBeGreaterThanOrEqual(400);
    expect(row.http).toBeLessThan(600);
    const standard = [-32700, -32600, -32601, -32602, -32603].includes(row.rpc);
    expect(standard || (row.rpc <= -32000 && row.rpc >= -32099)).toBe(true);
    expect(row.action).toMatch(/^[A-Z].*\.$/);
  });
});

test("no two of the hub's own JSON-RPC codes are the same", () => {
  const own = codes.map((code) => ERRORS[code].rpc).filter((rpc) => rpc > -32600);
  expect(new Set(own).size).toBe(own.length);
});

test("a server's fault may be repeated, a caller's may not, unless it is about time or number", () => {
  const exceptions = codes.filter((code) => ERRORS[code].http >= 500 !== ERRORS[code].retryable);
  expect(exceptions).toEqual(["not_ready", "too_many_requests", "rate_limited", "recipient_full", "sender_full"]);
});

test.each([undefined, 7, "", "a word of a newer hub", "toString", "__proto__"])(
  "the unknown word %j counts as internal",
  (code) => {
    expect(fromRpcError({ message: "m", data: { code } }).code).toBe("internal");
    expect(fromRestError({ error: "m", code }).code).toBe("internal");
  },
);

test.each([undefined, null])("an error without data (%j) is read all the same", (data) => {
  expect(fromRpcError({ message: "from elsewhere", data }).toWire()).toEqual({
    code: "internal",
    message: "from elsewhere",
  });
});
