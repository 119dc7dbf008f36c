/** From `send {template, params}` to the messages that it stands for. */
import { HubError } from "../../../../shared/errors.ts";
import { jsonBytes, LIMITS } from "../../../../shared/limits.ts";
import { noTemplate } from "../../../../shared/refusals.ts";
import type { Template, TemplateFields, TemplateStep } from "../../../../shared/template.ts";
import { assertMayWait, type NewMessage, newMessage } from "../../../core/create.ts";
import { inOrder, inStep } from "../../../core/macro.ts";
import type { Values } from "../../../core/placeholders.ts";
import { renderFields, renderValues } from "../../../core/template.ts";
import type { TemplateSend } from "../../storeCommands.ts";
import { assertFewValues, checkValues } from "./parameters.ts";
import type { SchemaCompiler } from "./schemaCompiler.ts";
import type { CheckWhole } from "./whole.ts";

/** One message to be sent, and the steps it comes after. */
export interface ExpandedStep {
  readonly key: string;
  readonly after: readonly string[];
  readonly said: NewMessage;
}

/** In an order in which each step comes after those it waits for. */
interface Expansion {
  readonly steps: readonly ExpandedStep[];
  /** The keys of a macro's steps as it lists them; undefined: it is no macro. */
  readonly keys?: readonly string[];
}

/** Looks a template up by name, and lists the names. */
interface TemplateSource {
  get(name: string): Template | undefined;
  names(): string[];
}

interface Means {
  templates: TemplateSource;
  schemas: SchemaCompiler;
  check: CheckWhole;
}

/**
 * @throws HubError when there is no such template, a parameter is unknown, missing or wrong, or a message that results
 *   could not be sent as it is.
 */
export function expand({ from_claude, template: name, params = {}, ...beside }: TemplateSend, means: Means): Expansion {
  const template = templateOf(name, means.templates);
  const values = checkValues(template.parameters, params, means.schemas);
  const whole = (fields: TemplateFields) => newMessage(from_claude, means.check(fields));
  const { message, steps = [] } = template;
  if (message) return { steps: [{ key: name, after: [], said: whole(filled(message, values, beside)) }] };
  assertForMacro(beside, name);
  const expanded: ExpandedStep[] = [];
  let bytes = 0;
  const spend = spending();
  for (const step of inOrder(steps)) {
    const { key, after = [] } = step;
    const said = inStep(key, () => whole(stepFields(step, values, beside, means, spend)));
    if (after.length > 0) inStep(key, () => assertMayWait(said, "after"));
    bytes += jsonBytes(said.task) + jsonBytes(said.context ?? "");
    if (bytes > LIMITS.macro_bytes) throw tooMuch();
    expanded.push({ key, after, said });
  }
  return { steps: expanded, keys: steps.map(({ key }) => key) };
}

/** @throws HubError `not_found` */
export function templateOf(name: string, source: TemplateSource): Template {
  const template = source.get(name);
  if (!template) throw noTemplate(name, source.names());
  return template;
}

/** The template that a step sends. @throws HubError when there is none, or it is a macro itself. */
export function stepTemplate({ template: name }: TemplateStep, source: TemplateSource) {
  const template = templateOf(name, source);
  if (template.message) return { ...template, message: template.message };
  throw new HubError("invalid_params", `${name} is a macro: a step sends a template with a message`, {
    template: name,
  });
}

function stepFields(
  step: TemplateStep,
  values: Values,
  beside: TemplateFields,
  { templates, schemas }: Means,
  spend: (chars: number) => void,
): TemplateFields {
  const { key: _key, template: _name, params = {}, after: _after, ...overrides } = step;
  const { parameters, message } = stepTemplate(step, templates);
  assertFewValues(params);
  const own = checkValues(parameters, renderValues(params, values, spend), schemas);
  return filled(message, own, { ...filled(overrides, values, beside), ...beside });
}

/** The fields of a template; what is said in the send takes precedence, and needs no parameters. */
function filled(fields: TemplateFields, values: Values, beside: TemplateFields): TemplateFields {
  const left = Object.entries(fields).filter(([field]) => beside[field as keyof TemplateFields] === undefined);
  return { ...renderFields(Object.fromEntries(left), values), ...beside };
}

/** What is said along with a macro applies to all of its steps, which cannot all be the same task. */
function assertForMacro(beside: TemplateFields, name: string): void {
  for (const field of ["task", "context"] as const) {
    if (beside[field] === undefined) continue;
    throw new HubError("invalid_params", `${field} cannot be said beside ${name}: it is a macro, whose steps say it`, {
      field,
    });
  }
}

/** Bounds the total size of all steps' values: a small macro that repeats itself can expand to a lot. */
function spending(): (chars: number) => void {
  let spent = 0;
  return (chars) => {
    spent += chars;
    if (spent <= LIMITS.macro_bytes) return;
    const text = `The values for the macro's steps are longer than ${LIMITS.macro_bytes} characters together`;
    throw new HubError("too_large", text, { limit: LIMITS.macro_bytes });
  };
}

const tooMuch = () =>
  new HubError("too_large", `The macro's messages are longer than ${LIMITS.macro_bytes} bytes together`, {
    limit: LIMITS.macro_bytes,
  });
