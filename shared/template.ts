/**
 * Templates: messages that the hub keeps under a name, with placeholders for parameters; and macros, which are several
 * templates sent together. A placeholder is `{{name}}`; `\{{` stands for two braces.
 */
import * as z from "zod";
import * as f from "./fields.ts";
import { isObject } from "./json.ts";
import { LIMITS } from "./limits.ts";
import { sendFields } from "./message.ts";

type JsonObject = Record<string, unknown>;

/** An object of whatever shape, kept as it is. */
const jsonObject = z
  .unknown()
  .refine(isObject, { error: "must be an object" })
  .meta({ type: "object" }) as unknown as z.ZodType<JsonObject, JsonObject>;

/** A field, or a text whose placeholders make one; the field's own rule applies once they are filled. */
const orPlaceholders = <S extends z.ZodType>(field: S, chars: number) =>
  field.or(z.string().max(chars).regex(/\{\{/, { error: "must hold a placeholder" }));

/** Any field of `send` as a default; the texts may hold placeholders. */
const templateFields = {
  ...z.object(sendFields).partial().shape,
  to_claude: orPlaceholders(f.address, LIMITS.name_chars)
    .optional()
    .describe("Who it is for: an instance's name, * for everyone (chat only), or a text with placeholders."),
  task: sendFields.task.optional().describe("What is to be done, or what is said, with placeholders."),
  context: sendFields.context.describe("Whatever helps to do it, with placeholders."),
  thread_id: orPlaceholders(f.key, LIMITS.key_chars)
    .optional()
    .describe("Groups messages of one conversation; may hold placeholders."),
};

/** The values of a template's parameters. */
export const params = jsonObject;

export const templateMessage = z
  .strictObject(templateFields)
  .meta({ id: "TemplateMessage", description: "Fields of `send`, as a template has them." });

const stepKey = f.name.describe("The name of this step within the macro.");

export const templateStep = z
  .strictObject({
    ...templateFields,
    key: stepKey,
    template: f.name.describe("The template, which has a message, that this step sends."),
    params: params
      .optional()
      .describe("The values of its parameters; texts may hold placeholders for the macro's own."),
    after: z
      .array(f.name)
      .max(LIMITS.template_steps)
      .optional()
      .describe("Keys of the steps that must be complete first."),
  })
  .meta({ id: "TemplateStep", description: "One message of a macro: a template, and what is different this time." });

/** What a template says: either a `message` or `steps`. */
export const templateBody = {
  description: f.text(LIMITS.template_description_bytes).optional().describe("What it is for."),
  parameters: jsonObject
    .optional()
    .describe("Its parameters: a JSON Schema of type object, whose properties are their names."),
  message: templateMessage.optional().describe("The message that it sends; not beside `steps`."),
  steps: z
    .array(templateStep)
    .min(1)
    .max(LIMITS.template_steps)
    .optional()
    .describe("The messages that it sends together, as a macro; not beside `message`."),
};

const history = {
  created_at: f.timestamp.describe("When it was put first."),
  updated_at: f.timestamp.describe("When it was put last."),
  updated_by: z.string().optional().describe("Who put it last."),
};

export const template = z
  .object({ name: z.string(), ...templateBody, ...history })
  .meta({ id: "Template", description: "A message, or a macro of several, kept under a name." });

export const templateSummary = z
  .object({
    name: z.string(),
    kind: z.enum(["message", "macro"]).describe("Whether it sends one message or several."),
    description: templateBody.description,
    ...history,
  })
  .meta({ id: "TemplateSummary", description: "A template as the list shows it." });

export type TemplateFields = z.output<typeof templateMessage>;
export type TemplateStep = z.output<typeof templateStep>;
export type Template = z.output<typeof template>;
export type TemplateSummary = z.output<typeof templateSummary>;
/** What is put under a name. */
export type TemplateBody = Pick<Template, "description" | "parameters" | "message" | "steps">;
