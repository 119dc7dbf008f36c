import { describe, expect, test } from "vitest";
import type * as z from "zod";
import type { HubError } from "../../shared/errors.ts";
import { hello, rpcRequest } from "../../shared/frames.ts";
import { LIMITS } from "../../shared/limits.ts";
import { OPERATIONS } from "../../shared/operations/index.ts";
import { validate } from "../../shared/validate.ts";

const { send, list, update, events, claim_next, fail } = OPERATIONS;
const task = { to_claude: "server_backend", task: "scrape" };

/** What a caller reads when a value is refused. */
function refusal(schema: Parameters<typeof validate>[0], value: unknown): { code: string; sentence: string } {
  try {
    validate(schema, value);
  } catch (error) {
    return { code: (error as HubError).code, sentence: (error as HubError).message };
  }
  throw new Error("nothing was refused");
}

const invalid = (sentence: string) => ({ code: "invalid_params", sentence });

test("a correct value comes back as it is", () => {
  const value = { ...task, context: "tabs\tand 😀\u0000", priority: "high", max_attempts: 1, type: "chat" };
  expect(validate(send.params, value)).toEqual(value);
});

test("the document's sentence about a status, word for word", () => {
  const sentence = "Invalid status. Must be one of: pending, in_progress, complete, failed";
  expect(refusal(update.params, { id: "a", status: "done" })).toEqual(invalid(sentence));
  expect(refusal(list.params, { status: "" })).toEqual(invalid(sentence));
  expect(refusal(update.params, { id: "a" })).toEqual(invalid(sentence));
});

describe("unknown fields", () => {
  test.each([
    ["prioritty", 'Unknown field: prioritty (did you mean "priority"?)'],
    ["to", 'Unknown field: to (did you mean "to_claude"?)'],
    ["From", 'Unknown field: From (did you mean "from_claude"?)'],
    ["To_Claud", 'Unknown field: To_Claud (did you mean "to_claude"?)'],
    ["zzzzzzzzzz", "Unknown field: zzzzzzzzzz"],
    ["constructor", "Unknown field: constructor"],
  ])("%s", (field, sentence) => {
    expect(refusal(send.params, { ...task, [field]: "x" })).toEqual(invalid(sentence));
  });

  test("a slip in a required field is named, not reported as missing", () => {
    expect(refusal(send.params, { to_claud: "server_backend", task: "scrape" })).toEqual(
      invalid('Unknown field: to_claud (did you mean "to_claude"?)'),
    );
  });

  test("inside an object, with where it is", () => {
    const greeting = { client: { name: "sdk", version: "1", colour: "red" } };
    expect(refusal(hello, greeting)).toEqual(invalid("Unknown field: colour in client"));
  });

  test("also on the frame around a request", () => {
    expect(refusal(rpcRequest, { jsonrpc: "2.0", method: "send", parms: {} })).toEqual(
      invalid('Unknown field: parms (did you mean "params"?)'),
    );
  });
});

test.each([null, undefined, 7, "text", [], [task]])("parameters that are %j", (value) => {
  expect(refusal(send.params, value)).toEqual(invalid("The parameters must be an object with fields"));
});

test.each([
  [send, { to_claude: "a" }, "Missing field: task"],
  [send, { task: "a" }, "Missing field: to_claude"],
  [send, { ...task, task: 7 }, "task must be a string"],
  [send, { ...task, task: null }, "task must be a string"],
  [send, { ...task, task: "" }, "task must not be empty"],
  [send, { ...task, to_claude: ["a"] }, "to_claude must be a string"],
  [send, { ...task, priority: "now" }, "Invalid priority. Must be one of: low, normal, high, urgent"],
  [send, { ...task, max_attempts: "3" }, "max_attempts must be a number"],
  [send, { ...task, max_attempts: 1.5 }, "max_attempts must be an integer"],
  [send, { ...task, max_attempts: 0 }, "max_attempts must be at least 1"],
  [send, { ...task, timeout_ms: 0 }, "timeout_ms must be at least 1"],
  [fail, { id: "a", retryable: "yes" }, "retryable must be a boolean"],
  [fail, { id: "" }, "id must not be empty"],
  [list, { limit: 0 }, "limit must be at least 1"],
  [send, { ...task, timeout_ms: -1 }, "timeout_ms must be at least 1"],
  [list, { limit: 1e20 }, `limit must be at most ${LIMITS.list_messages}`],
  [list, { limit: -5 }, "limit must be at least 1"],
  [list, { limit: 1e9 }, `limit must be at most ${LIMITS.list_messages}`],
  [list, { offset: -1 }, "offset must be at least 0"],
  [list, { offset: 1e300 }, /^offset must be at most /],
  [list, { offset: Number.NaN }, "offset must be a number"],
  [claim_next, { wait_ms: 3_600_000 }, `wait_ms must be at most ${LIMITS.wait_ms}`],
  [events, { after: "yesterday" }, "after is not a cursor: use one that the hub gave, unchanged"],
  [events, { after: 7 }, "after must be a string"],
  [send, { ...task, not_before: "9999-12-31T23:59:59-23:00" }, "not_before must lie between 1970 and 9999, by UTC"],
  [send, { ...task, not_before: "tomorrow" }, "not_before must be a time with its zone: 2026-01-31T12:00:00Z"],
  [send, { ...task, traceparent: "00-1-2-3" }, "traceparent must be a W3C traceparent"],
  [send, { ...task, idempotency_key: "two words" }, "idempotency_key must be printable ASCII without spaces"],
])("%#: the sentence says what is wrong", ({ params }, value, sentence) => {
  expect(refusal(params, value)).toEqual({
    code: "invalid_params",
    sentence: typeof sentence === "string" ? sentence : expect.stringMatching(sentence),
  });
});

describe("names", () => {
  const rule = "must be 1 to 128 of the characters A-Z a-z 0-9 _ . : -";
  test.each(["", " ", "a b", "a\n", "a\u0000", "\u001b[31m", "ä", "🙂", "@", "@a b", "a/b", "*x", "\ud800"])(
    "%j",
    (name) => {
      expect(refusal(send.params, { ...task, from_claude: name })).toEqual(invalid(`from_claude ${rule}`));
      expect(refusal(send.params, { ...task, to_claude: name })).toEqual(
        invalid(`to_claude ${rule}, or @ and a role, or * for everyone`),
      );
    },
  );

  test("may be 128 characters and no more", () => {
    expect(validate(send.params, { ...task, from_claude: "n".repeat(128) })).toBeDefined();
    expect(refusal(send.params, { ...task, from_claude: "n".repeat(129) })).toEqual(
      invalid("from_claude must be at most 128 characters"),
    );
  });

  test("a star is an address and no name", () => {
    expect(validate(send.params, { ...task, to_claude: "*" })).toBeDefined();
    expect(refusal(send.params, { ...task, from_claude: "*" })).toEqual(invalid(`from_claude ${rule}`));
  });
});

describe("text", () => {
  test.each(["\ud800", "a\udc00b", "\udc00\ud800"])("with a lone surrogate is refused, not repaired: %j", (text) => {
    const sentence = "task holds a lone surrogate, which cannot be stored unchanged";
    expect(refusal(send.params, { ...task, task: text })).toEqual(invalid(sentence));
  });

  test.each([
    ["plain", "x", 1],
    ["control characters", "\u0001", 6],
    ["emoji", "😀", 4],
  ])("is counted as it is encoded: %s", (_, unit, bytes) => {
    const most = Math.floor(LIMITS.task_bytes / bytes);
    expect(validate(send.params, { ...task, task: unit.repeat(most) })).toBeDefined();
    expect(refusal(send.params, { ...task, task: unit.repeat(most + 1) })).toEqual({
      code: "too_large",
      sentence: `task is longer than ${LIMITS.task_bytes} bytes of JSON-encoded text`,
    });
  });
});

test("details are for machines: the field, what is known, the limit", () => {
  const details = (value: unknown, { params }: { params: z.ZodType } = send) => {
    try {
      validate(params, value);
    } catch (error) {
      return (error as HubError).details;
    }
    return undefined;
  };
  expect(details({ ...task, max_attempts: 0 })).toEqual({ field: "max_attempts" });
  expect(details({ ...task, task: "x".repeat(70_000) })).toEqual({ field: "task", limit: LIMITS.task_bytes });
  expect(details({ ...task, nope: 1 })).toEqual({ field: "nope", known: Object.keys(send.params.shape) });
  const step = { key: "a", template: "t", pramas: {} };
  expect(details({ name: "m", steps: [step] }, OPERATIONS.template_put)).toMatchObject({
    field: "pramas",
    known: expect.arrayContaining(["params", "key", "to_claude"]),
  });
});
