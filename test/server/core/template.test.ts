/** What may be put under a name, and what the refusals say. */
import { describe, expect, test } from "vitest";
import { inOrder } from "../../../server/core/macro.ts";
import { assertTemplate } from "../../../server/core/template.ts";
import { LIMITS } from "../../../shared/limits.ts";
import type { TemplateBody } from "../../../shared/template.ts";

const FEED = { type: "object", properties: { feed: { type: "string" } } };
const described = (schema: object): TemplateBody => ({ parameters: schema as never, message: { task: "x" } });
const property = (schema: unknown) => described({ type: "object", properties: { a: schema } });
const step = (key: string, ...after: string[]) => ({ key, template: "t", after });
const deep = (levels: number): object => (levels === 0 ? {} : { type: "array", items: deep(levels - 1) });

const numbered = (count: number) => Array.from({ length: count }, (_, i) => [`p${i}`, { type: "string" }] as const);

const refusal = (body: TemplateBody): string => {
  try {
    assertTemplate(body);
  } catch (error) {
    return (error as Error).message;
  }
  return "accepted";
};

test.each<[what: string, body: TemplateBody]>([
  ["a message without parameters", { message: { to_claude: "bob", task: "x" } }],
  [
    "placeholders for parameters",
    { parameters: FEED, message: { to_claude: "{{feed}}", task: "{{feed}}", thread_id: "{{feed}}" } },
  ],
  ["a parameter without a placeholder", { parameters: FEED, message: { task: "x" } }],
  ["names that objects have by themselves", property({ type: "string" })],
  ["schemas as deep as they may be", property(deep(LIMITS.template_schema_depth - 2))],
  ["steps listed in any order", { steps: [step("b", "a"), step("a"), step("c", "a", "b")] }],
])("takes %s", (_, body) => {
  expect(refusal(body)).toBe("accepted");
});

test.each<[body: TemplateBody, sentence: string | RegExp]>([
  [{}, "A template has either a message or steps"],
  [{ message: {}, steps: [step("a")] }, "A template has either a message or steps"],
  [
    { parameters: FEED, message: { task: "{{fed}}" } },
    'message.task has a placeholder for fed, which is no parameter (did you mean "feed"?)',
  ],
  [{ message: { context: "{{a}}" } }, "message.context has a placeholder for a, which is no parameter"],
  [{ message: { task: "{{constructor}}" } }, "message.task has a placeholder for constructor, which is no parameter"],
  [{ message: { task: "{{ a b" } }, /^message\.task holds "\{\{ a b", which is no placeholder/],
  [
    { steps: [{ ...step("a"), params: { x: ["{{y}}"] } }] },
    "Step a: params.x.0 has a placeholder for y, which is no parameter",
  ],
  [
    { steps: [{ ...step("a"), to_claude: "{{y}}" }] },
    "Step a: to_claude has a placeholder for y, which is no parameter",
  ],
  [{ steps: [step("a"), step("a")] }, "Two steps have the key a"],
  [{ steps: [step("build"), step("b", "bild")] }, 'Step b comes after bild, which is no step (did you mean "build"?)'],
  [{ steps: [step("a", "a")] }, "Steps wait for each other: a after a"],
  [
    { steps: [step("x"), step("a", "x", "c"), step("b", "a"), step("c", "b")] },
    "Steps wait for each other: a after c after b after a",
  ],
  [described({}), 'parameters must be a JSON Schema with "type": "object"'],
  [described({ ...FEED, additionalProperties: true }), /^parameters\.additionalProperties must be false or left out/],
  [
    property({ type: "string", pattern: "(a+)+$" }),
    "parameters.properties.a has a keyword that templates do not take: pattern",
  ],
  [property({ $ref: "https://example.org/schema" }), /^parameters\.properties\.a has a keyword .*: \$ref/],
  [property({ type: "string", format: "email" }), /: format/],
  [
    property({ type: "array", items: { type: "string", minLenght: 1 } }),
    /a\.items has .*: minLenght \(did you mean "minLength"\?\)$/,
  ],
  [property({ anyOf: [{ type: "string" }, 7] }), "parameters.properties.a.anyOf.1 must be a JSON Schema: an object"],
  [property(deep(LIMITS.template_schema_depth - 1)), /is nested too deep: at most 8 levels/],
  [described({ type: "object", properties: { "a b": {} } }), /^parameters\.properties\.a b is no name for a parameter/],
  [described(JSON.parse('{"type":"object","properties":{"__proto__":{}}}')), /__proto__ is no name for a parameter/],
  [
    described({ type: "object", properties: Object.fromEntries(numbered(LIMITS.template_schemas)) }),
    /^parameters holds more than 100 schemas/,
  ],
  [property({ enum: ["x".repeat(LIMITS.template_schema_chars)] }), /^parameters is longer than 16384 characters/],
  [
    { message: { task: "x", context: "x".repeat(LIMITS.template_chars) } },
    /^The template is longer than 131072 characters/,
  ],
])("refuses what it must, and says why (%#)", (body, sentence) => {
  if (typeof sentence === "string") expect(refusal(body)).toBe(sentence);
  else expect(refusal(body)).toMatch(sentence);
});

describe("steps in order", () => {
  test("each comes after those it waits for, else as listed", () => {
    const steps = [step("d", "b"), step("a"), step("b", "c"), step("c"), step("e", "d", "a")];
    expect(inOrder(steps).map(({ key }) => key)).toEqual(["c", "b", "d", "a", "e"]);
  });

  test("a wide web of them takes no time", () => {
    const keys = Array.from({ length: LIMITS.template_steps }, (_, i) => `k${i}`);
    const steps = keys.map((key, i) => step(key, ...keys.slice(i + 1)));
    expect(inOrder(steps).map(({ key }) => key)).toEqual(keys.toReversed());
  });
});
