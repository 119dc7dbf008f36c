/** What a template may be, and how its fields are filled. Pure: nothing here reads, writes or runs. */
import { HubError } from "../../shared/errors.ts";
import { LIMITS } from "../../shared/limits.ts";
import { didYouMean } from "../../shared/suggest.ts";
import type { TemplateBody, TemplateFields } from "../../shared/template.ts";
import { inOrder, inStep } from "./macro.ts";
import { assertDescribesParameters, parametersIn } from "./parameterSchema.ts";
import { onlyPlaceholder, placeholdersIn, render, type Values } from "./placeholders.ts";

/** The fields that may hold placeholders, and how many bytes they may have once filled. */
const WITH_PLACEHOLDERS = {
  to_claude: LIMITS.name_chars,
  task: LIMITS.task_bytes,
  context: LIMITS.context_bytes,
  thread_id: LIMITS.key_chars,
} as const;

type FilledField = keyof typeof WITH_PLACEHOLDERS;
const FILLED_FIELDS = Object.keys(WITH_PLACEHOLDERS) as FilledField[];

/**
 * Checks a template as far as that is possible without the templates that it names.
 *
 * @throws HubError that names what is wrong: both or neither of message and steps, a placeholder without a parameter, a
 *   schema that may not describe parameters, steps that wait for each other, a template that is too long.
 */
export function assertTemplate(body: TemplateBody): void {
  const { parameters, message, steps } = body;
  if ((message === undefined) === (steps === undefined)) {
    throw new HubError("invalid_params", "A template has either a message or steps", { field: "message" });
  }
  if (JSON.stringify(body).length > LIMITS.template_chars) {
    const text = `The template is longer than ${LIMITS.template_chars} characters of JSON`;
    throw new HubError("too_large", text, { limit: LIMITS.template_chars });
  }
  if (parameters !== undefined) assertDescribesParameters(parameters);
  const known = parametersIn(parameters);
  if (message) assertPlaceholders(fieldTexts(message, "message."), known);
  for (const step of inOrder(steps ?? [])) {
    inStep(step.key, () =>
      assertPlaceholders([...fieldTexts(step, ""), ...valueTexts(step.params ?? {}, "params")], known),
    );
  }
}

type NamedText = readonly [field: string, text: string];

function assertPlaceholders(texts: readonly NamedText[], known: readonly string[]): void {
  for (const [field, text] of texts) {
    const stranger = placeholdersIn(text, field).find((name) => !known.includes(name));
    if (stranger === undefined) continue;
    const sentence = `${field} has a placeholder for ${stranger}, which is no parameter${didYouMean(stranger, known)}`;
    throw new HubError("invalid_params", sentence, { field, parameter: stranger, known });
  }
}

const fieldTexts = (fields: TemplateFields, before: string): NamedText[] =>
  FILLED_FIELDS.flatMap((field) => {
    const text = fields[field];
    return text === undefined ? [] : [[`${before}${field}`, text] as const];
  });

/** Every text in a value, however deep. */
function valueTexts(value: unknown, field: string): NamedText[] {
  if (typeof value === "string") return [[field, value]];
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) => valueTexts(inner, `${field}.${name}`));
}

/**
 * Fills the placeholders of a template's fields.
 *
 * @throws HubError that names the parameters which have no value; `too_large`.
 */
export function renderFields(fields: TemplateFields, values: Values): TemplateFields {
  const texts = fieldTexts(fields, "");
  assertValues(texts, values);
  const rendered = texts.map(([field, text]) => [
    field,
    render(text, values, WITH_PLACEHOLDERS[field as FilledField], field),
  ]);
  return { ...fields, ...Object.fromEntries(rendered) };
}

/**
 * Fills the placeholders in the values that a step gives; a text that is a single placeholder becomes the value itself.
 *
 * @param spend is told the length of each text before the next one is built; throws when they are too long together.
 */
export function renderValues(given: Values, values: Values, spend: (chars: number) => void): Values {
  assertValues(valueTexts(given, "params"), values);
  const fillText = (text: string, field: string): unknown => {
    const only = onlyPlaceholder(text, field);
    const filled = only === undefined ? render(text, values, LIMITS.context_bytes, field) : values[only];
    spend(charsOf(filled));
    return filled;
  };
  const fill = (value: unknown, field: string): unknown => {
    if (typeof value === "string") return fillText(value, field);
    if (Array.isArray(value)) return value.map((inner, i) => fill(inner, `${field}.${i}`));
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, fill(inner, `${field}.${name}`)]));
  };
  return fill(given, "params") as Values;
}

const charsOf = (value: unknown): number =>
  typeof value === "string" ? value.length : (JSON.stringify(value)?.length ?? 0);

function assertValues(texts: readonly NamedText[], values: Values): void {
  const needed = new Set(texts.flatMap(([field, text]) => placeholdersIn(text, field)));
  const missing = [...needed].filter((name) => !Object.hasOwn(values, name));
  if (missing.length > 0) throw missingParameters(missing);
}

/** @example missingParameters(["feed"]).message === "Missing parameter: feed" */
export const missingParameters = (names: readonly string[]) =>
  new HubError("invalid_params", `Missing parameter${names.length > 1 ? "s" : ""}: ${names.join(", ")}`, {
    field: `params.${names[0]}`,
    missing: names,
  });
