/** A send without a template is refused as it always was, with the same sentence for the same slip. */
import { expect, test } from "vitest";
import * as z from "zod";
import type { HubError } from "../../shared/errors.ts";
import * as f from "../../shared/fields.ts";
import { sendFields } from "../../shared/message.ts";
import { OPERATIONS } from "../../shared/operations/index.ts";
import { validate } from "../../shared/validate.ts";

const AS_IT_WAS = z.strictObject({
  from_claude: f.name.optional(),
  ...sendFields,
  idempotency_key: f.key.optional(),
});

function refusal(schema: z.ZodType, value: unknown): string {
  try {
    validate(schema, value);
  } catch (error) {
    return (error as HubError).message;
  }
  return "accepted";
}

const FIELDS = {
  from_claude: ["ada", 1],
  to_claude: ["bob", "b b", null],
  task: ["x", "", 5],
  priority: ["high", "asap"],
  colour: ["red"],
};

/** Every way to say each field or leave it out. */
const combinations = Object.entries(FIELDS).reduce<Record<string, unknown>[]>(
  (made, [field, values]) => made.flatMap((one) => [one, ...values.map((value) => ({ ...one, [field]: value }))]),
  [{}],
);

test("every mix of right, wrong and missing fields is judged as before", () => {
  for (const said of [...combinations, null, undefined, 7, []]) {
    expect([said, refusal(OPERATIONS.send.params, said)]).toEqual([said, refusal(AS_IT_WAS, said)]);
  }
});

test.each([
  [{ template: "t" }, "accepted"],
  [{ template: "t", params: {}, to_claude: "bob", priority: "low" }, "accepted"],
  [{ template: "t", params: [] }, "params must be an object"],
  [{ template: "t", params: "x" }, "params must be an object"],
  [{ template: "t t" }, /^template must be 1 to 128/],
  [{ template: "t", parms: {} }, 'Unknown field: parms (did you mean "params"?)'],
  [{ to_claude: "bob", task: "x", params: {} }, "params go with a template: say which"],
])("by template: %j", (said, sentence) => {
  if (typeof sentence === "string") expect(refusal(OPERATIONS.send.params, said)).toBe(sentence);
  else expect(refusal(OPERATIONS.send.params, said)).toMatch(sentence);
});
