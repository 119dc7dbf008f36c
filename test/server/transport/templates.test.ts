/** Templates over both transports: the same answers, and errors that name what is wrong. */
import { beforeAll, describe, expect, test } from "vitest";
import { LIMITS } from "../../../shared/limits.ts";
import type { Message } from "../../../shared/message.ts";
import { http } from "../../support/http.ts";
import { startHub, type TestHub } from "../../support/hub.ts";
import { RawSocket } from "../../support/rawSocket.ts";
import { FACES, type Face } from "./input/faces.ts";

const TEXT = { type: "object", properties: { a: { type: "string" } }, required: ["a"] };
const SCRAPE = { description: "One feed", parameters: TEXT, message: { to_claude: "bob", task: "scrape {{a}}" } };
const macro = (...keys: string[]) => keys.map((key) => ({ key, template: "scrape", params: { a: `{{a}} ${key}` } }));

let hub: TestHub;
beforeAll(async () => {
  hub = await startHub();
});

describe.each(Object.keys(FACES))("over %s", (face) => {
  let say: Face;
  beforeAll(async () => {
    say = (await FACES[face]?.(hub, { claude_id: "ada" })) as Face;
    await say("template_put", { name: "scrape", ...SCRAPE });
  });

  test("put, get, list and delete", async () => {
    const put = (await say("template_put", { name: "gone", ...SCRAPE })).result;
    expect(put).toMatchObject({ name: "gone", ...SCRAPE, updated_by: "ada" });
    expect((await say("template_get", { name: "gone" })).result).toEqual(put);
    const { templates, count } = (await say("template_list", {})).result;
    expect(count).toBe(templates.length);
    expect(templates).toContainEqual(
      expect.objectContaining({ name: "gone", kind: "message", description: "One feed" }),
    );
    expect((await say("template_delete", { name: "gone" })).result).toEqual({ name: "gone", deleted: true });
    for (const operation of ["template_get", "template_delete"] as const) {
      expect(await say(operation, { name: "gone" })).toMatchObject({
        code: "not_found",
        message: "There is no template gone",
      });
    }
  });

  test("a send by one, by a macro, and again with the same key", async () => {
    const said = { template: "scrape", params: { a: "rss" } };
    const { message } = (await say("send", said)).result;
    expect(message).toMatchObject({ from_claude: "ada", to_claude: "bob", task: "scrape rss" });
    await say("template_put", { name: "two", parameters: TEXT, steps: macro("one", "two") });
    const both = { template: "two", params: { a: "x" }, idempotency_key: `${face}-two` };
    const first = (await say("send", both)).result;
    expect(first.messages).toMatchObject([{ task: "scrape x one" }, { task: "scrape x two" }]);
    expect(first.data ?? first.message).toEqual(first.messages[1]);
    expect(first.recipient).toMatchObject({ waiting: expect.any(Number) });
    const again = (await say("send", both)).result;
    expect(again).toMatchObject({ deduplicated: true, messages: first.messages });
  });

  test.each<[params: Record<string, unknown>, sentence: string]>([
    [{ template: "scarpe" }, 'There is no template scarpe (did you mean "scrape"?)'],
    [{ template: "scrape" }, "Missing parameter: a"],
    [{ template: "scrape", params: { a: "x", b: 1 } }, "Unknown parameter: b"],
    [{ template: "scrape", params: { a: 1 } }, "Parameter a must be string"],
    [{ template: "scrape", params: [] }, "params must be an object"],
    [{ template: "scrape", params: { a: "x" }, to: "bob" }, "Unknown field: to"],
    [{ params: {} }, "Missing field: to_claude"],
  ])("send %j is refused: %s", async (params, sentence) => {
    const { code, message } = await say("send", params);
    expect([code, message]).toEqual([sentence.startsWith("There") ? "not_found" : "invalid_params", message]);
    expect(message).toMatch(new RegExp(`^${sentence.replace(/[()?"]/g, "\\$&")}`));
  });

  test.each<[body: Record<string, unknown>, code: string, sentence: RegExp]>([
    [{}, "invalid_params", /^A template has either a message or steps$/],
    [{ message: { tsak: "x" } }, "invalid_params", /^Unknown field: tsak in message/],
    [{ message: { to_claude: "b b" } }, "invalid_params", /^message\.to_claude must be 1 to 128/],
    [
      { message: { task: "x".repeat(LIMITS.task_bytes + 1) } },
      "too_large",
      /^message\.task is longer than 65536 bytes/,
    ],
    [{ message: { priority: "asap" } }, "invalid_params", /^Invalid message\.priority\. Must be one of/],
    [{ steps: [] }, "invalid_params", /^steps must be at least 1 entries$/],
    [{ steps: [{ key: "a" }] }, "invalid_params", /^Missing field: steps\.0\.template$/],
    [{ parameters: 7, message: {} }, "invalid_params", /^parameters must be an object$/],
    [
      { parameters: { type: "object", properties: { a: { type: "strnig" } } }, message: {} },
      "invalid_params",
      /^parameters is no JSON Schema that can be used: /,
    ],
    [{ description: "x".repeat(1025), message: {} }, "too_large", /^description is longer/],
  ])("template_put refuses %#", async (body, code, sentence) => {
    const refused = await say("template_put", { name: "wrong", ...body });
    expect([refused.code, refused.message]).toEqual([code, expect.stringMatching(sentence)]);
    expect(await say("template_get", { name: "wrong" })).toMatchObject({ code: "not_found" });
  });
});

test("REST says 201 for what is new and 200 for a repeat, of a macro too", async () => {
  const body = { from_claude: "ada", template: "two", params: { a: "y" } };
  const ask = () => http(`${hub.url}/message`, { method: "POST", body, headers: { "idempotency-key": "rest-two" } });
  expect([(await ask()).status, (await ask()).status]).toEqual([201, 200]);
});

test("everyone who may see them is told of a macro's messages, in one page and in order", async () => {
  const bob = await RawSocket.greet(hub.wsUrl, { claude_id: "bob" });
  const ada = await RawSocket.greet(hub.wsUrl, { claude_id: "ada" });
  const cursor = (await bob.call("info", {})).cursor;
  const { messages = [] } = await ada.call("send", { template: "two", params: { a: "z" } });
  const { events } = await bob.call("events", { after: cursor, for: "bob" });
  expect(events.map(({ kind, message }) => [kind, message.task])).toEqual(
    messages.map(({ task }: Message) => ["new", task]),
  );
});

test("the largest macro is answered in one frame, and values in great numbers are refused", async () => {
  const ada = await RawSocket.greet(hub.wsUrl, { claude_id: "ada" });
  const parameters = {
    type: "object",
    properties: { a: { type: "string" }, list: { type: "array", items: { type: "integer" } } },
  };
  await ada.call("template_put", {
    name: "big",
    parameters,
    message: { to_claude: "eve", task: "x", context: "{{a}}" },
  });
  const steps = ["one", "two"].map((key) => ({ key, template: "big", params: { a: "{{a}}" } }));
  await ada.call("template_put", { name: "bigger", parameters, steps });
  const a = "\u0001".repeat(Math.floor(LIMITS.macro_bytes / 12) - 10);
  const { messages = [] } = await ada.call("send", { template: "bigger", params: { a }, idempotency_key: "bigger" });
  expect(messages.map(({ context }: Message) => context)).toEqual([a, a]);
  const eve = await RawSocket.greet(hub.wsUrl, { claude_id: "eve", run: "r1" });
  const result = "\u0001".repeat(Math.floor(LIMITS.result_bytes / 6));
  for (const { id } of messages) await eve.call("complete", { id, result });
  const again = await ada.call("send", { template: "bigger", params: { a }, idempotency_key: "bigger" });
  expect(again.message).toMatchObject({ id: messages[1]?.id, context: a, result });
  expect(again.messages).toMatchObject([
    { status: "complete", context: a },
    { status: "complete", context: a },
  ]);
  expect(again.messages?.some((message) => "result" in message)).toBe(false);
  const list = Array(LIMITS.template_values).fill(1);
  await expect(ada.call("send", { template: "big", params: { a: "x", list } })).rejects.toThrow(
    /more than 1000 values/,
  );
});
