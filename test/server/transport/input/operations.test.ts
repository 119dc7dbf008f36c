/** Wrong input to every operation, on both transports: a clear error with its code, and nothing has changed. */
import { beforeAll, describe, expect, test } from "vitest";
import type { ErrorCode } from "../../../../shared/errors.ts";
import { LIMITS } from "../../../../shared/limits.ts";
import { OPERATION_NAMES, type OperationName } from "../../../../shared/operations/index.ts";
import { startHub, type TestHub } from "../../../support/hub.ts";
import { RawSocket } from "../../../support/rawSocket.ts";
import { FACES, type Face } from "./faces.ts";

type Case = [what: string, params: Record<string, unknown>, code: ErrorCode, sentence?: string | RegExp];

const CHAT = { from_claude: "ada", to_claude: "bob", task: "hello", type: "chat" };
const named = (field: string, value: unknown) => ({ ...CHAT, [field]: value });
const proto = JSON.parse('{"__proto__":{"admin":true}}');

const SEND: Case[] = [
  ["nothing", {}, "invalid_params", "Missing field: to_claude"],
  ["a number for a name", named("to_claude", 1), "invalid_params", "to_claude must be a string"],
  ["null for a text", named("task", null), "invalid_params", /^task must be a string$|^Missing field: task$/], // REST: left out
  ["an object for a text", named("context", {}), "invalid_params", "context must be a string"],
  ["an array for a name", named("from_claude", ["ada"]), "invalid_params", "from_claude must be a string"],
  ["a text for a number", named("max_attempts", "3"), "invalid_params", /^max_attempts must be a/],
  ["a fraction for a count", named("max_attempts", 1.5), "invalid_params", "max_attempts must be an integer"],
  ["too few attempts", named("max_attempts", 0), "invalid_params", "max_attempts must be at least 1"],
  ["too many attempts", named("max_attempts", 101), "invalid_params", "max_attempts must be at most 100"],
  ["a time-out of nothing", named("timeout_ms", 0), "invalid_params", "timeout_ms must be at least 1"],
  ["a rest below zero", named("backoff_ms", -1), "invalid_params", "backoff_ms must be at least 0"],
  ["a rest of aeons", named("backoff_ms", 1e300), "invalid_params", /^backoff_ms must be/],
  ["no time", named("not_before", "tomorrow"), "invalid_params", /^not_before must be a time with its zone/],
  ["a time without a zone", named("expires_at", "2026-01-01T00:00:00"), "invalid_params", /^expires_at must be a time/],
  [
    "another priority",
    named("priority", "asap"),
    "invalid_params",
    "Invalid priority. Must be one of: low, normal, high, urgent",
  ],
  ["another type", named("type", "note"), "invalid_params", "Invalid type. Must be one of: chat, task"],
  ["no trace", named("traceparent", "00-abc"), "invalid_params", "traceparent must be a W3C traceparent"],
  ...["ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", `00-${"0".repeat(32)}-b7ad6b7169203331-01`].map(
    (trace): Case => [`the trace ${trace}`, named("traceparent", trace), "invalid_params", /^traceparent must be a/],
  ),
  ["an unknown field", named("colour", "red"), "invalid_params", "Unknown field: colour"],
  [
    "a slip",
    { ...CHAT, form_claude: "ada" },
    "invalid_params",
    'Unknown field: form_claude (did you mean "from_claude"?)',
  ],
  ["__proto__", { ...CHAT, ...proto }, "invalid_params", "Unknown field: __proto__"],
  ["constructor", named("constructor", { prototype: {} }), "invalid_params", "Unknown field: constructor"],
  ["an empty name", named("to_claude", ""), "invalid_params", /^to_claude must be 1 to 128 of the characters/],
  ["an empty text", named("task", ""), "invalid_params", "task must not be empty"],
  ["an empty key", named("idempotency_key", ""), "invalid_params", "idempotency_key must not be empty"],
  [
    "a key with spaces",
    named("thread_id", "a b"),
    "invalid_params",
    "thread_id must be printable ASCII without spaces",
  ],
  [
    "a name too long",
    named("to_claude", "b".repeat(129)),
    "invalid_params",
    "to_claude must be at most 128 characters",
  ],
  ...["bob\u0000", "bob\n", "b\u001b[31mob", " bob", "bób", "b/ob", "👾", "\u202ebob", "**", "bob,ada"].map(
    (name): Case => [
      `the name ${JSON.stringify(name)}`,
      named("to_claude", name),
      "invalid_params",
      /^to_claude must be 1 to/,
    ],
  ),
  ["everyone as the sender", named("from_claude", "*"), "invalid_params", /^from_claude must be/],
  ["half of a pair in a task", named("task", "a\ud800b"), "invalid_params", /^task holds a lone surrogate/],
  ["half of a pair in a context", named("context", "\udc00"), "invalid_params", /^context holds a lone surrogate/],
  [
    "a task too large",
    named("task", "x".repeat(LIMITS.task_bytes + 1)),
    "too_large",
    /^task is longer than 65536 bytes/,
  ],
  [
    "a context too large",
    named("context", "é".repeat(LIMITS.context_bytes / 2 + 1)),
    "too_large",
    /^context is longer/,
  ],
  ["a task for everyone", { ...CHAT, type: "task", to_claude: "*" }, "not_a_task", /only a chat can go to \*/],
  ["a key that stands for another message", named("idempotency_key", "taken"), "idempotency_conflict"],
];

const LIST: Case[] = [
  ["no message at all", { limit: 0 }, "invalid_params", "limit must be at least 1"],
  ["fewer than none", { limit: -1 }, "invalid_params", "limit must be at least 1"],
  ["half a message", { limit: 1.5 }, "invalid_params", "limit must be an integer"],
  ["more than a list may hold", { limit: 501 }, "invalid_params", "limit must be at most 500"],
  ["absurdly many", { limit: 1e15 }, "invalid_params", "limit must be at most 500"],
  ["an offset below zero", { offset: -1 }, "invalid_params", "offset must be at least 0"],
  ["an absurd offset", { offset: 1_000_001 }, "invalid_params", "offset must be at most 1000000"],
  ["another order", { order: "up" }, "invalid_params", "Invalid order. Must be one of: asc, desc"],
  ["another status", { status: "done" }, "invalid_params", /^Invalid status. Must be one of: pending, in_progress/],
  ["another failure", { failure: "none" }, "invalid_params", /^Invalid failure. Must be one of: error, cancelled/],
  ["no line of text", { to_claude: "a\nb" }, "invalid_params", /^to_claude must hold no control characters/],
  ["an empty name", { to_claude: "" }, "invalid_params", "to_claude must not be empty"],
  ["a text", { from_claude: "a".repeat(1025) }, "invalid_params", "from_claude must be at most 1024 characters"],
  ["a place that is none", { next: "-1" }, "invalid_params", /^next is not the place where a list ended/],
  ["a slip", { form_claude: "ada" }, "invalid_params", 'Unknown field: form_claude (did you mean "from_claude"?)'],
];

const OTHERS: [OperationName, ...Case][] = [
  ["received", "by nobody", { ids: ["x"] }, "not_recipient", "Only a recipient that gives its name can have received"],
  ["seen", "by nobody", { id: "x" }, "not_recipient", "Only a recipient that gives its name can have seen"],
  ["received", "of nothing", { ids: [] }, "invalid_params", /^ids must/],
  ["heartbeat", "from nobody", {}, "invalid_params", "Missing field: claude_id"],
  ["heartbeat", "from everyone", { claude_id: "*" }, "invalid_params", /^claude_id must be/],
  [
    "heartbeat",
    "without an interval",
    { claude_id: "x", interval_ms: 0 },
    "invalid_params",
    /^interval_ms must be at least 1/,
  ],
  ["claim_next", "for nobody", {}, "invalid_params", "Missing field: for_claude"],
  [
    "claim_next",
    "waiting for less than nothing",
    { for_claude: "x", wait_ms: -1 },
    "invalid_params",
    /^wait_ms must be at/,
  ],
  [
    "claim_next",
    "waiting for too long",
    { for_claude: "x", wait_ms: 55_001 },
    "invalid_params",
    /^wait_ms must be at most/,
  ],
  ["presence", "of a stranger", { claude_id: "stranger" }, "not_found", /stranger/],
  ["presence", "since before the beginning", { since: -1 }, "invalid_params", "since must be at least 0"],
  ["events", "after no cursor", { after: "7" }, "invalid_params", /^after is not a cursor/],
  ["events", "after a cursor of another log", { after: "0123456789ab.0" }, "cursor_lost", /\(epoch\)/],
  ["events", "none of them", { limit: 0 }, "invalid_params", "limit must be at least 1"],
  ["stats", "by colour", { colour: "red" }, "invalid_params", "Unknown field: colour"],
  ["info", "of something", { of: "x" }, "invalid_params", "Unknown field: of"],
];

const PUT = { name: "n", cron: "0 3 * * *", message: CHAT };
const saying = (fields: object) => ({ ...PUT, message: { ...CHAT, ...fields } });

const SCHEDULES: Case[] = [
  ["without a message", { name: "n", cron: "* * * * *" }, "invalid_params", "Missing field: message"],
  ["without a time", { name: "n", message: CHAT }, "invalid_params", "Missing field: cron"],
  ["without a sender", saying({ from_claude: undefined }), "invalid_params", "Missing field: message.from_claude"],
  ["of another minute", { ...PUT, cron: "61 * * * *" }, "invalid_params", /^cron "61" is not a minute/],
  ["of too many fields", { ...PUT, cron: "0 0 0 1 1 * 2030" }, "invalid_params", /^cron .* must have 5 fields/],
  ["of a day that never comes", { ...PUT, cron: "0 0 30 2 *" }, "invalid_params", /^cron "0 0 30 2 \*" never comes/],
  ["of a long expression", { ...PUT, cron: "*".repeat(201) }, "invalid_params", "cron must be at most 200 characters"],
  ["on no clock", { ...PUT, timezone: "Europe/Berlni" }, "invalid_params", /did you mean "Europe\/Berlin"/],
  ["of another kind", { ...PUT, missed: "twice" }, "invalid_params", "Invalid missed. Must be one of: once, skip"],
  ["under no name", { ...PUT, name: "a b" }, "invalid_params", /^name must be 1 to 128/],
  [
    "with a point in time",
    saying({ not_before: "2026-01-01T00:00:00Z" }),
    "invalid_params",
    /^Unknown field: not_before in message/,
  ],
  ["of a task for everyone", saying({ type: "task", to_claude: "*" }), "not_a_task"],
  [
    "of a context too large",
    saying({ context: "x".repeat(LIMITS.task_bytes + 1) }),
    "too_large",
    /^message.context is longer/,
  ],
];

describe.each(Object.keys(FACES))("over %s", (face) => {
  let hub: TestHub;
  let say: Face;
  let unchanged: () => Promise<void>;
  /** A chat; tasks that are pending, complete, failed, and held by another; and what is not there. */
  const ids = { chat: "", pending: "", complete: "", failed: "", held: "", unknown: "0".repeat(32) };

  beforeAll(async () => {
    hub = await startHub();
    const bob = await RawSocket.greet(hub.wsUrl, { claude_id: "bob", run: "r1" });
    const send = async (fields: object = {}) =>
      (await bob.call("send", { from_claude: "ada", to_claude: "bob", task: "t", ...fields })).message.id;
    await send({ type: "chat", task: "first", idempotency_key: "taken" });
    for (const name of ["pending", "complete", "failed", "held"] as const) ids[name] = await send();
    ids.chat = await send({ type: "chat" });
    for (const name of ["complete", "failed", "held"] as const) await bob.call("claim", { id: ids[name] });
    await bob.call("complete", { id: ids.complete, attempt: 1 });
    await bob.call("fail", { id: ids.failed, attempt: 1 });
    const state = async () => [
      await bob.call("stats", {}),
      (await bob.call("info", {})).cursor,
      await bob.call("list", {}),
    ];
    const before = withoutLeases(await state());
    unchanged = async () => expect(withoutLeases(await state())).toEqual(before);
    say = (await FACES[face]?.(hub)) as Face;
  });

  async function expectRefused(
    operation: OperationName,
    params: object,
    code: ErrorCode,
    sentence?: string | RegExp,
    by = say,
  ) {
    const { result, message, ...refused } = await by(operation, params as Record<string, unknown>);
    expect(result).toBeUndefined();
    expect(refused.code).toBe(code);
    expect(message).not.toBe("");
    if (typeof sentence === "string") expect(message).toBe(sentence);
    else if (sentence) expect(message).toMatch(sentence);
    await unchanged();
  }

  test.each(SEND)("send refuses %s", (_, params, code, sentence) => expectRefused("send", params, code, sentence));
  test.each(LIST)("list refuses %s", (_, params, code, sentence) => expectRefused("list", params, code, sentence));
  test.each(SCHEDULES)("schedule_put refuses one %s", async (_, params, code, sentence) => {
    await expectRefused("schedule_put", params, code, sentence);
    expect(await say("schedule_list", {})).toMatchObject({ result: { count: 0 } });
  });
  test.each(["schedule_get", "schedule_delete"] as const)("%s refuses a name that is unknown", (operation) =>
    expectRefused(operation, { name: "nobodys" }, "not_found", "There is no schedule of the name nobodys"),
  );
  test.each(OTHERS)("%s %s is refused", (operation, _, params, code, sentence) =>
    expectRefused(operation, params, code, sentence),
  );

  const CHANGES = ["get", "update", "delete", "claim", "complete", "fail", "release"] as const;

  test.each(CHANGES)("%s refuses an id that is unknown, or none", async (operation) => {
    const more = operation === "update" ? { status: "complete" } : {};
    await expectRefused(operation, { id: ids.unknown, ...more }, "not_found", "Message not found");
    for (const id of ["*", "__proto__", "constructor", "' OR 1=1 --", "%00", "\u0000", "a".repeat(128)]) {
      await expectRefused(operation, { id, ...more }, "not_found", "Message not found");
    }
    await expectRefused(
      operation,
      { id: "a".repeat(129), ...more },
      "invalid_params",
      "id must be at most 128 characters",
    );
    await expectRefused(
      operation,
      { id: ids.pending, ...more, colour: "red" },
      "invalid_params",
      "Unknown field: colour",
    );
  });

  test.each([
    ["claim", "chat", {}, "not_a_task"],
    ["claim", "complete", {}, "wrong_status"],
    ["claim", "failed", {}, "wrong_status"],
    ["claim", "held", {}, "wrong_status"],
    ["complete", "held", {}, "lease_lost"],
    ["complete", "held", { attempt: 1, result: "mine" }, "lease_lost"],
    ["complete", "held", { attempt: 2 }, "lease_lost"],
    ["complete", "failed", {}, "wrong_status"],
    ["complete", "pending", { attempt: 1 }, "lease_lost"],
    ["fail", "held", { attempt: 1 }, "lease_lost"],
    ["fail", "complete", {}, "wrong_status"],
    ["release", "held", { attempt: 1 }, "lease_lost"],
    ["release", "pending", {}, "wrong_status"],
    ["release", "complete", {}, "wrong_status"],
    ["update", "held", { status: "complete" }, "lease_lost"],
    ["update", "held", { status: "in_progress" }, "wrong_status"],
    ["update", "complete", { status: "pending" }, "wrong_status"],
    ["complete", "pending", { attempt: -1 }, "invalid_params"],
    ["complete", "pending", { attempt: 1.5 }, "invalid_params"],
    ["complete", "pending", { attempt: "1" }, "invalid_params"],
    ["complete", "pending", { result: 1 }, "invalid_params"],
    ["complete", "pending", { result: "\ud800" }, "invalid_params"],
    ["complete", "pending", { result: "x".repeat(LIMITS.result_bytes + 1) }, "too_large"],
    ["fail", "pending", { error: "x".repeat(LIMITS.error_bytes + 1) }, "too_large"],
    ["fail", "pending", { retryable: "yes" }, "invalid_params"],
    ["update", "pending", { status: "done" }, "invalid_params"],
    ["update", "pending", {}, "invalid_params"],
    ["update", "pending", { status: "in_progress", attempt: 1 }, "invalid_params"],
  ] as [OperationName, keyof typeof ids, Record<string, unknown>, ErrorCode][])(
    "%s of one that is %s is refused to others (%#)",
    async (operation, which, params, code) => {
      const eve = await FACES[face]?.(hub, { claude_id: "eve", run: "r9" });
      await expectRefused(operation, { id: ids[which], ...params }, code, undefined, eve);
    },
  );

  test("every operation says what it does not know", async () => {
    for (const operation of OPERATION_NAMES) {
      const { code, message } = await say(operation, { id: "x", claude_id: "x", nonsense: "" });
      expect([operation, code]).toEqual([operation, "invalid_params"]);
      expect(message).toMatch(/^Unknown field: (id|claude_id|nonsense)/);
    }
    await unchanged();
  });
});

/** Leases move by themselves while their holder lives. */
const withoutLeases = (state: unknown) => JSON.parse(JSON.stringify(state).replace(/"lease_until":"[^"]*",?/g, ""));
