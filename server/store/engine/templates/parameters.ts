/** The values of a template's parameters, checked against the schema that describes them. */
import type { ErrorObject } from "ajv";
import { HubError } from "../../../../shared/errors.ts";
import { LIMITS } from "../../../../shared/limits.ts";
import { didYouMean } from "../../../../shared/suggest.ts";
import { parametersIn, type Schema } from "../../../core/parameterSchema.ts";
import type { Values } from "../../../core/placeholders.ts";
import { missingParameters } from "../../../core/template.ts";
import type { SchemaCompiler } from "./schemaCompiler.ts";

/**
 * @returns the values, with the defaults of those that were left out.
 * @throws HubError naming the parameters that are unknown, missing or wrong, or as compiling does.
 */
export function checkValues(schema: Schema | undefined, given: Values, schemas: SchemaCompiler): Values {
  assertNames(Object.keys(given), parametersIn(schema));
  assertFewValues(given);
  const values: Record<string, unknown> = Object.assign(Object.create(null), structuredClone(given));
  if (schema === undefined) return values;
  const check = schemas.compile(schema);
  if (!check(values)) throw explain(check.errors ?? []);
  return values;
}

/** @throws HubError naming the unknown parameters, and the nearest known one. */
export function assertNames(given: readonly string[], known: readonly string[]): void {
  const strangers = given.filter((name) => !known.includes(name));
  if (strangers.length === 0) return;
  const names = strangers.slice(0, 10).map((name) => name.slice(0, LIMITS.name_chars));
  const [first] = names as [string];
  const several = names.length > 1;
  const hint = several ? "" : didYouMean(first, known);
  throw new HubError("invalid_params", `Unknown parameter${several ? "s" : ""}: ${names.join(", ")}${hint}`, {
    field: `params.${first}`,
    unknown: names,
    known,
  });
}

/** Checking takes time proportional to the schema times the values. */
export function assertFewValues(given: Values): void {
  let count = 0;
  const visit = (value: unknown): void => {
    if (++count > LIMITS.template_values) {
      const text = `params holds more than ${LIMITS.template_values} values`;
      throw new HubError("too_large", text, { field: "params", limit: LIMITS.template_values });
    }
    if (typeof value === "object" && value !== null) for (const inner of Object.values(value)) visit(inner);
  };
  visit(given);
}

function explain(errors: readonly ErrorObject[]): HubError {
  const missing = errors.filter(({ keyword, instancePath }) => keyword === "required" && instancePath === "");
  if (missing.length > 0) return missingParameters(missing.map(({ params }) => String(params.missingProperty)));
  const { instancePath, message = "is wrong", params } = errors[0] as ErrorObject;
  const path = instancePath.slice(1).replaceAll("/", ".");
  const allowed = Array.isArray(params.allowedValues) ? `: ${params.allowedValues.join(", ")}` : "";
  const subject = path === "" ? "The parameters" : `Parameter ${path}`;
  return new HubError("invalid_params", `${subject} ${message}${allowed}`, {
    field: path ? `params.${path}` : "params",
  });
}
