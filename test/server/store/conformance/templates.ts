/** Templates and macros: kept with everything else, sent as a whole or not at all. */
import { describe, expect, test } from "vitest";
import { COMPILED_A_BATCH_CHARS } from "../../../../server/store/engine/templates/schemaCompiler.ts";
import type { StoreCommand, StoreCommandOf } from "../../../../server/store/storeCommands.ts";
import { LIMITS } from "../../../../shared/limits.ts";
import type { Message } from "../../../../shared/message.ts";
import type { TemplateBody } from "../../../../shared/template.ts";
import { name } from "../../core/support.ts";
import { type Section, type StoreDriver, sending } from "../driver.ts";

const FEED = {
  parameters: {
    type: "object",
    properties: {
      feed: { type: "string", minLength: 2 },
      hours: { type: "integer", default: 24 },
      note: { type: "string" },
    },
    required: ["feed"],
  },
  message: { to_claude: "bob", task: "scrape {{feed}}, {{hours}} h", priority: "high" },
} satisfies TemplateBody;

const WAITS = "A chat waits for nothing: only a task can have `after` or `not_before`";
const LATER = "2030-01-01T00:00:00.000Z";

export const templates: Section = (hub) => {
  const put = (template: string, body: TemplateBody, by = "ada") =>
    hub().outcome({ op: "template_put", caller: name(by), name: template, body });
  const remove = (template: string) => hub().outcome({ op: "template_delete", name: template });
  const send = (template: string, params: object = {}, more: object = {}, key?: string) =>
    sendBy(hub(), template, params, more, key);
  const made = async (body: TemplateBody) => {
    const template = hub().newName("template");
    await put(template, body);
    return template;
  };

  test("what would have expired already is not sent by a template either", async () => {
    const template = await made({ message: { to_claude: hub().newName("bob"), task: "x" } });
    const expires_at = new Date(hub().now).toISOString();
    await expect(send(template, {}, { expires_at })).rejects.toMatchObject({ details: { field: "expires_at" } });
  });

  test("a batch compiles a bounded amount anew; what needs more is refused, changes nothing, and may be asked again", async () => {
    const COUNT = 20;
    const template = hub().newName("template");
    const names = Array.from({ length: COUNT }, (_, i) => `${template}-${i}`);
    const commands = names.map((name) => bulky(name));
    const short = bulky(`${template}-short`, "short", 100);
    const { outcomes } = await hub().commit(
      ...commands,
      sending({ to_claude: "bob" }),
      short,
      commands[0] as StoreCommand,
    );
    const codes = outcomes.map((outcome) => (outcome.ok ? "ok" : outcome.error.code));
    const kept = codes.indexOf("too_many_requests");
    expect(kept).toBe(Math.ceil(COMPILED_A_BATCH_CHARS / LARGE_CHARS));
    const refused = Array.from({ length: COUNT - kept }, () => "too_many_requests");
    expect(codes).toEqual([...Array.from({ length: kept }, () => "ok"), ...refused, "ok", "ok", "ok"]);
    const listed = (await hub().store.templates()).filter(({ name }) => name.startsWith(template));
    expect(listed.map(({ name }) => name).sort()).toEqual([...names.slice(0, kept), short.name].sort());
    for (const name of names.slice(kept)) await hub().outcome(bulky(name));
  });

  test("a macro is sent at once, however much of its steps' schemas has to be compiled for it", async () => {
    const template = hub().newName("template");
    const steps = Array.from({ length: 20 }, (_, i) => ({ key: `s${i}`, template: `${template}-${i}` }));
    for (const step of steps) await hub().outcome(bulky(step.template));
    const macro = await made({ steps });
    for (let i = 0; i < OUT_OF_CACHE; i++) await hub().outcome(bulky(`${template}-other`, `${i}`));
    expect((await send(macro)).messages).toHaveLength(20);
  });

  test("what is put is read back, listed by name, replaced, deleted", async () => {
    const [b, a] = [hub().newName("b-template"), hub().newName("a-template")];
    const put1 = JSON.parse((await put(b, { ...FEED, description: "feeds" })).json);
    const at = new Date(hub().now).toISOString();
    expect(put1).toEqual({ name: b, ...FEED, description: "feeds", created_at: at, updated_at: at, updated_by: "ada" });
    expect(JSON.parse((await hub().store.template(b)) as string)).toEqual(put1);
    await put(a, { steps: [{ key: "one", template: b, params: { feed: "rss" } }] });
    hub().clock.advance(5);
    await put(b, { message: { task: "other" } }, "eve");
    const later = new Date(hub().now).toISOString();
    const own = (await hub().store.templates()).filter((one) => [a, b].includes(one.name));
    expect(own).toEqual([
      { name: a, kind: "macro", created_at: at, updated_at: at, updated_by: "ada" },
      { name: b, kind: "message", created_at: at, updated_at: later, updated_by: "eve" },
    ]);
    await remove(a);
    expect(await hub().store.template(a)).toBeNull();
    await expect(remove(a)).rejects.toMatchObject({
      code: "not_found",
      message: `There is no template ${a} (did you mean "${b}"?)`,
    });
  });

  test("a send fills the placeholders, and what is said beside goes before", async () => {
    const template = await made(FEED);
    const first = await send(template, { feed: "rss" });
    expect(first.message).toMatchObject({
      from_claude: "ada",
      to_claude: "bob",
      task: "scrape rss, 24 h",
      priority: "high",
    });
    expect([first.deduplicated, first.messages]).toEqual([false, undefined]);
    const beside = { to_claude: "eve", priority: "low", not_before: new Date(hub().now + 1000).toISOString() };
    expect((await send(template, { feed: "{{hours}}", hours: 2 }, beside)).message).toMatchObject({
      ...beside,
      task: "scrape {{hours}}, 2 h",
    });
  });

  test("placeholders that are not used, because the field is said, need no value", async () => {
    const template = await made({ ...FEED, message: { to_claude: "bob", task: "{{note}}" } });
    await expect(send(template, { feed: "rss" })).rejects.toThrow("Missing parameter: note");
    expect((await send(template, { feed: "rss" }, { task: "said {{note}}" })).message.task).toBe("said {{note}}");
  });

  test.each([
    [{}, "Missing parameter: feed"],
    [{ fed: "rss" }, 'Unknown parameter: fed (did you mean "feed"?)'],
    [{ feed: "rss", a: 1, b: 2 }, "Unknown parameters: a, b"],
    [{ feed: 7 }, "Parameter feed must be string"],
    [{ feed: "x" }, "Parameter feed must NOT have fewer than 2 characters"],
    [{ feed: "rss", hours: "2" }, "Parameter hours must be integer"],
    [JSON.parse('{"feed":"rss","__proto__":{"hours":1}}'), "Unknown parameter: __proto__"],
    [{ feed: "rss", constructor: "x" }, "Unknown parameter: constructor"],
  ])("parameters that are wrong are named: %j", async (params, sentence) => {
    const template = await made(FEED);
    const { head } = hub();
    await expect(send(template, params)).rejects.toMatchObject({ code: "invalid_params", message: sentence });
    expect(hub().head).toBe(head);
  });

  test("what comes of a template obeys the limits of a send", async () => {
    const string = { type: "object", properties: { a: { type: "string" } } };
    const template = await made({ parameters: string, message: { to_claude: "{{a}}", task: "x{{a}}" } });
    await expect(send(template, { a: "b b" })).rejects.toThrow(/^to_claude must be 1 to 128 of the characters/);
    await expect(send(template, { a: "\ud800" }, { to_claude: "bob" })).rejects.toThrow(/^task holds a lone surrogate/);
    const long = { a: "é".repeat(LIMITS.task_bytes / 2) };
    await expect(send(template, long, { to_claude: "bob" })).rejects.toMatchObject({ code: "too_large" });
    await expect(send(template, { a: "*" })).rejects.toMatchObject({ code: "not_a_task" });
    await expect(send(template, { a: "*" }, { type: "chat" })).resolves.toMatchObject({ message: { to_claude: "*" } });
    const bare = await made({ message: { task: "x" } });
    await expect(send(bare)).rejects.toThrow("Missing field: to_claude");
  });

  test("a chat that is to be sent later is refused, whoever says so", async () => {
    const chat = { code: "not_a_task", message: WAITS, details: { field: "not_before" } };
    const later = await made({ message: { to_claude: "bob", task: "x", not_before: LATER } });
    await expect(send(later, {}, { type: "chat" })).rejects.toMatchObject(chat);
    const read = await made({ message: { to_claude: "bob", task: "x", type: "chat" } });
    await expect(send(read, {}, { not_before: LATER })).rejects.toMatchObject(chat);
    const macro = await made({ steps: [{ key: "a", template: read }] });
    await expect(send(macro, {}, { not_before: LATER })).rejects.toMatchObject(chat);
    await expect(hub().send({ to_claude: "bob", type: "chat", not_before: 1 })).rejects.toMatchObject(chat);
  });

  test("a put that is refused leaves what was there", async () => {
    const template = await made(FEED);
    const before = await hub().store.template(template);
    for (const body of [
      {},
      { message: { task: "{{x}}" } },
      { parameters: { type: "object", properties: { a: { type: "strnig" } } }, message: {} },
      { steps: [{ key: "a", template: "nobody-knows" }] },
    ] as TemplateBody[]) {
      await expect(put(template, body)).rejects.toMatchObject({
        code: expect.stringMatching(/invalid_params|not_found/),
      });
    }
    expect(await hub().store.template(template)).toBe(before);
  });

  describe("a macro", () => {
    const release = async () => {
      const build = await made({
        parameters: {
          type: "object",
          properties: { what: { type: "string" }, tries: { type: "integer" } },
          required: ["what"],
        },
        message: { to_claude: "bob", task: "build {{what}}" },
      });
      const steps = [
        { key: "test", template: build, params: { what: "tests of {{app}}" }, after: ["build"], to_claude: "{{who}}" },
        { key: "build", template: build, params: { what: "{{app}}", tries: "{{n}}" }, priority: "urgent" },
      ] as const;
      const parameters = {
        type: "object",
        properties: {
          app: { type: "string" },
          who: { type: "string", default: "eve" },
          n: { type: "integer", default: 3 },
        },
        required: ["app"],
      };
      return { build, macro: await made({ parameters, steps: steps as never }) };
    };

    test("sends all its steps, and answers with the last of the list and all", async () => {
      const { macro } = await release();
      const { message, messages = [], ...sent } = await send(macro, { app: "shop" }, { thread_id: "r7" });
      expect(messages).toMatchObject([
        { to_claude: "eve", task: "build tests of shop", thread_id: "r7" },
        { to_claude: "bob", task: "build shop", priority: "urgent", thread_id: "r7" },
      ]);
      expect(message).toEqual(messages[1]);
      expect(sent).toMatchObject({ deduplicated: false, waiting: expect.any(Number) });
      expect(await hub().get(message)).toEqual(message);
      const [test, build] = messages as [Message, Message];
      expect(build.seq).toBeLessThan(test.seq as number); // a step is sent after those it waits for
    });

    test("has all its steps wait, where only the first would find room", async () => {
      const { macro } = await release();
      const awaited = await hub().send({ to_claude: "bob", task: "first of all" });
      const waiting = { from_claude: "ada", to_claude: "bob", task: "later", after: [awaited.id] };
      const crowd = Array.from({ length: LIMITS.dependents - 1 }, () => sending(waiting));
      await hub().commit(...crowd);
      const { messages = [] } = await send(macro, { app: "shop" }, { after: [awaited.id] });
      expect(messages).toHaveLength(2);
      for (const step of messages) await expect(hub().claim(step, name(step.to_claude))).rejects.toThrow(/waits for/);
      await expect(send(macro, { app: "shop" }, { after: [awaited.id] })).rejects.toThrow(/1000 tasks wait for/);
      await hub().delete(awaited);
      while (hub().wakeAt !== null && (hub().wakeAt as number) <= hub().now) await hub().wake();
    });

    test("sends all or nothing, and says which step it was", async () => {
      const { build, macro } = await release();
      const { head } = hub();
      await expect(send(macro, { app: "shop", who: "not a name" })).rejects.toThrow(/^Step test: to_claude must be/);
      await expect(send(macro, { app: "shop", who: "*" })).rejects.toMatchObject({ code: "not_a_task" });
      const chat = { code: "not_a_task", message: `Step test: ${WAITS}` };
      await expect(send(macro, { app: "shop" }, { type: "chat" })).rejects.toMatchObject(chat);
      await expect(send(macro, { app: "shop" }, { task: "x" })).rejects.toThrow(/^task cannot be said beside/);
      await remove(build);
      await expect(send(macro, { app: "shop" })).rejects.toMatchObject({
        code: "not_found",
        details: { step: "build" },
      });
      expect(hub().head).toBe(head);
    });

    test("names parameters that its templates have, and no macro", async () => {
      const { build, macro } = await release();
      const other = hub().newName("macro");
      const putStep = (step: object) => put(other, { steps: [{ key: "a", template: build, ...step }] });
      await expect(putStep({ params: { waht: "x" } })).rejects.toThrow(
        'Step a: Unknown parameter: waht (did you mean "what"?)',
      );
      await expect(putStep({ template: macro })).rejects.toThrow(`Step a: ${macro} is a macro`);
      const first = { key: "b", template: build };
      const chat = { key: "a", template: build, type: "chat" } as const;
      await expect(put(other, { steps: [first, { ...chat, after: ["b"] }] })).rejects.toThrow(`Step a: ${WAITS}`);
      await expect(putStep({ type: "chat", not_before: LATER })).rejects.toThrow(`Step a: ${WAITS}`);
    });

    test("is bounded as a whole", async () => {
      const big = await made({
        parameters: { type: "object", properties: { a: { type: "string" } } },
        message: { to_claude: "bob", task: "x", context: "{{a}}{{a}}{{a}}" },
      });
      const steps = [1, 2, 3].map((i) => ({ key: `k${i}`, template: big, params: { a: "{{a}}" } }));
      const macro = await made({ parameters: { type: "object", properties: { a: { type: "string" } } }, steps });
      const { head } = hub();
      await expect(send(macro, { a: "x".repeat(LIMITS.context_bytes / 4) })).rejects.toThrow(
        /^The macro's messages are longer/,
      );
      expect(hub().head).toBe(head);
    });

    test.each([
      ["beside other text", "x{{a}}"],
      ["alone", "{{a}}"],
    ])("is bounded in what the values of its steps come to, before they are made: %s", async (_, text) => {
      const list = await made({
        parameters: { type: "object", properties: { v: { type: "array" } } },
        message: { to_claude: "bob", task: "x" },
      });
      const steps = [{ key: "k", template: list, params: { v: Array(100).fill(text) } }];
      const macro = await made({ parameters: { type: "object", properties: { a: { type: "string" } } }, steps });
      await expect(send(macro, { a: "x".repeat(20_000) })).rejects.toMatchObject({
        code: "too_large",
        message: expect.stringMatching(/^Step k: The values for the macro's steps are longer than/),
      });
      await send(macro, { a: "x".repeat(10_000) });
    });

    test("with a key is sent once, and remembers all of it", async () => {
      const { macro } = await release();
      const [boss, app] = [hub().newName("boss"), { app: "shop" }];
      const first = await send(macro, app, { from_claude: boss }, "k");
      const [test] = first.messages as [Message];
      await hub().delete(test);
      await remove(macro);
      const again = await send(macro, app, { from_claude: boss }, "k");
      expect(again).toMatchObject({ deduplicated: true, message: first.message });
      expect(again.messages).toMatchObject([{ id: test.id, to_claude: "eve", erased: true }, first.message]);
      expect((await hub().list({ from_claude: boss })).messages).toHaveLength(1);
    });
  });

  describe("a key", () => {
    test("stands for what was said, whatever has become of the template", async () => {
      const template = await made(FEED);
      const from_claude = hub().newName("boss");
      const first = await send(template, { feed: "rss", hours: 1 }, { from_claude }, "k");
      await put(template, { message: { to_claude: "eve", task: "another" } });
      const again = await send(template, { hours: 1, feed: "rss" }, { from_claude }, "k");
      expect(again).toMatchObject({ deduplicated: true, message: first.message });
      await remove(template);
      expect(await send(template, { feed: "rss", hours: 1 }, { from_claude }, "k")).toEqual(again);
      await hub().delete(first.message);
      const gone = await send(template, { feed: "rss", hours: 1 }, { from_claude }, "k");
      const { id, created_at } = first.message;
      expect(gone.message).toMatchObject({ id, to_claude: "bob", created_at, erased: true });
    });

    test("is refused for other parameters, another template, or a plain message; and the other way round", async () => {
      const [template, other] = [await made(FEED), await made(FEED)];
      const from_claude = hub().newName("boss");
      const conflict = { code: "idempotency_conflict" };
      await send(template, { feed: "rss" }, { from_claude }, "k");
      await expect(send(template, { feed: "atom" }, { from_claude }, "k")).rejects.toMatchObject(conflict);
      await expect(send(other, { feed: "rss" }, { from_claude }, "k")).rejects.toMatchObject(conflict);
      const plain = { from_claude, to_claude: "bob", task: "scrape rss, 24 h" };
      await expect(hub().send(plain, "k")).rejects.toMatchObject(conflict);
      await hub().send(plain, "plain");
      await expect(send(template, { feed: "rss" }, { from_claude }, "plain")).rejects.toMatchObject(conflict);
      expect((await hub().list({ from_claude })).messages).toHaveLength(2);
    });

    test("is not used up by a send that was refused", async () => {
      const template = await made(FEED);
      const from_claude = hub().newName("boss");
      await expect(send(template, {}, { from_claude }, "k")).rejects.toThrow("Missing parameter");
      expect(await send(template, { feed: "rss" }, { from_claude }, "k")).toMatchObject({ deduplicated: false });
    });
  });
};

const LARGE_CHARS = 16_000;

/** After so many others a schema has to be compiled again. */
const OUT_OF_CACHE = 200;

/** A command that keeps a template whose parameters are as long, and under their title like no other's. */
function bulky(template: string, title = template, chars = LARGE_CHARS): StoreCommandOf<"template_put"> {
  const parameters = { type: "object", title, description: "" };
  parameters.description = "x".repeat(chars - JSON.stringify(parameters).length);
  const body = { parameters, message: { to_claude: "bob", task: "x" } };
  return { op: "template_put", caller: name("ada"), name: template, body };
}

interface Sent {
  message: Message;
  messages?: Message[];
  deduplicated: boolean;
  waiting: number;
}

/** @throws HubError */
async function sendBy(hub: StoreDriver, template: string, params: object, more: object, key?: string): Promise<Sent> {
  const said = { from_claude: "ada", template, params: params as Record<string, unknown>, ...more };
  const outcome = await hub.outcome({ op: "template_send", said, key });
  const { json, deduplicated, waiting } = outcome;
  return {
    message: JSON.parse(json),
    ...("messages" in outcome && { messages: JSON.parse(outcome.messages) }),
    deduplicated,
    waiting,
  };
}
