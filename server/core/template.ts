/** What a template may be, and how its fields are filled. Pure: nothing here reads, writes or runs. */
import { HubError } from "../../shared/errors.ts";
import { LIMITS } from "../../shared/limits.ts";
import { didYouMean } from "../../shared/suggest.ts";
import type { TemplateBody, TemplateFields } from "../../shared/template.ts";
import { inOrder, inStep } from "./macro.ts";
import { assertDescribesParameters, parametersIn } from "./parameterSchema.ts";
import { onlyPlace, placesIn, render, type Values } from "./places.ts";

/** The fields that may hold places, and how long they may be once filled; bytes, so characters at most as many. */
const WITH_PLACES = {
  to_claude: LIMITS.name_chars,
  task: LIMITS.task_bytes,
  context: LIMITS.context_bytes,
  thread_id: LIMITS.key_chars,
} as const;

type PlaceField = keyof typeof WITH_PLACES;
const PLACE_FIELDS = Object.keys(WITH_PLACES) as PlaceField[];

/**
 * Checks what is put under a name, as far as it can be seen by itself.
 *
 * @throws HubError that names what is wrong: both or neither of message and steps, a place that is no parameter, a
 *   schema that may not describe parameters, steps that wait for each other, too much of it.
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
  if (message) assertPlaces(fieldTexts(message, "message."), known);
  for (const step of inOrder(steps ?? [])) {
    inStep(step.key, () => assertPlaces([...fieldTexts(step, ""), ...valueTexts(step.params ?? {}, "params")], known));
  }
}

type NamedText = readonly [field: string, text: string];

function assertPlaces(texts: readonly NamedText[], known: readonly string[]): void {
  for (const [field, text] of texts) {
    const stranger = placesIn(text, field).find((name) => !known.includes(name));
    if (stranger === undefined) continue;
    const sentence = `${field} has a place for ${stranger}, which is no parameter${didYouMean(stranger, known)}`;
    throw new HubError("invalid_params", sentence, { field, parameter: stranger, known });
  }
}

const fieldTexts = (fields: TemplateFields, before: string): NamedText[] =>
  PLACE_FIELDS.flatMap((field) => {
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
 * Fills the places of a template's fields.
 *
 * @throws HubError that names the parameters which have a place and no value; `too_large`.
 */
export function renderFields(fields: TemplateFields, values: Values): TemplateFields {
  const texts = fieldTexts(fields, "");
  assertValues(texts, values);
  const rendered = texts.map(([field, text]) => [field, render(text, values, WITH_PLACES[field as PlaceField], field)]);
  return { ...fields, ...Object.fromEntries(rendered) };
}

/**
 * Fills the places in the values that a step gives; a text that is nothing but a place becomes that value itself.
 *
 * @param spend is told how many characters each text comes to, before the next is made; throws when they are too many.
 */
export function renderValues(given: Values, values: Values, spend: (chars: number) => void): Values {
  assertValues(valueTexts(given, "params"), values);
  const fillText = (text: string, field: string): unknown => {
    const only = onlyPlace(text, field);
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
  const placed = new Set(texts.flatMap(([field, text]) => placesIn(text, field)));
  const missing = [...placed].filter((name) => !Object.hasOwn(values, name));
  if (missing.length > 0) throw missingParameters(missing);
}

/** @example missingParameters(["feed"]).message === "Missing parameter: feed" */
export const missingParameters = (names: readonly string[]) =>
  new HubError("invalid_params", `Missing parameter${names.length > 1 ? "s" : ""}: ${names.join(", ")}`, {
    field: `params.${names[0]}`,
    missing: names,
  });
