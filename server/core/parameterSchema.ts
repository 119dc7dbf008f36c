/**
 * Which JSON Schemas may describe parameters. Keywords that reach out (`$ref`), take disproportionate time (`pattern`,
 * `uniqueItems`) or that the hub does not support (`format`) are not allowed; the rest is bounded in size and depth.
 */
import { HubError } from "../../shared/errors.ts";
import { isObject } from "../../shared/json.ts";
import { LIMITS } from "../../shared/limits.ts";
import { didYouMean } from "../../shared/suggest.ts";

export type Schema = Readonly<Record<string, unknown>>;

/** Where a keyword holds schemas: as its value, in an array, or by name. */
type Holds = "nothing" | "schema" | "array" | "names";

const plain = (...keywords: string[]) => keywords.map((keyword): [string, Holds] => [keyword, "nothing"]);

const KEYWORDS = new Map<string, Holds>([
  ...plain("type", "enum", "const", "default", "required", "title", "description", "examples"),
  ...plain("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minLength", "maxLength"),
  ...plain("minItems", "maxItems", "minProperties", "maxProperties"),
  ["properties", "names"],
  ["items", "schema"],
  ["additionalProperties", "schema"],
  ["not", "schema"],
  ["anyOf", "array"],
  ["oneOf", "array"],
  ["allOf", "array"],
]);

const NAME = /^[A-Za-z]\w*$/;

/** @throws HubError when a schema may not describe a template's parameters; the sentence says where. */
export function assertDescribesParameters(schema: Schema): void {
  if (JSON.stringify(schema).length > LIMITS.template_schema_chars) {
    throw new HubError("too_large", `parameters is longer than ${LIMITS.template_schema_chars} characters of JSON`, {
      field: "parameters",
      limit: LIMITS.template_schema_chars,
    });
  }
  if (schema.type !== "object") throw wrong("parameters", 'must be a JSON Schema with "type": "object"');
  if (schema.additionalProperties !== undefined && schema.additionalProperties !== false) {
    throw wrong("parameters.additionalProperties", "must be false or left out: unknown parameters are always refused");
  }
  if (countSchemas(schema, "parameters", 1) > LIMITS.template_schemas) {
    const text = `parameters holds more than ${LIMITS.template_schemas} schemas: it would take too long to compile`;
    throw new HubError("too_large", text, { field: "parameters", limit: LIMITS.template_schemas });
  }
  for (const name of Object.keys(propertiesOf(schema))) {
    if (NAME.test(name) && name.length <= LIMITS.name_chars) continue;
    throw wrong(`parameters.properties.${name}`, "is no name for a parameter: use a letter, then A-Z a-z 0-9 _");
  }
}

const propertiesOf = ({ properties }: Schema): Readonly<Record<string, Schema>> =>
  isObject(properties) ? (properties as Record<string, Schema>) : {};

/** The names of the parameters that a schema describes. */
export const parametersIn = (schema: Schema | undefined): string[] => Object.keys(propertiesOf(schema ?? {}));

/** @returns how many schemas it holds, itself included. @throws HubError when one of them is not allowed. */
function countSchemas(schema: unknown, where: string, depth: number): number {
  if (typeof schema === "boolean") return 1;
  if (!isObject(schema)) throw wrong(where, "must be a JSON Schema: an object");
  if (depth > LIMITS.template_schema_depth) {
    throw wrong(where, `is nested too deep: at most ${LIMITS.template_schema_depth} levels of schemas`);
  }
  let count = 1;
  for (const [keyword, value] of Object.entries(schema)) {
    const holds = KEYWORDS.get(keyword);
    if (holds === undefined) throw unknownKeyword(keyword, where);
    for (const [step, inner] of heldBy(holds, value)) {
      count += countSchemas(inner, `${where}.${keyword}${step}`, depth + 1);
    }
  }
  return count;
}

function heldBy(holds: Holds, value: unknown): [step: string, schema: unknown][] {
  if (holds === "schema") return [["", value]];
  if (holds === "array" && Array.isArray(value)) return value.map((inner, i) => [`.${i}`, inner]);
  if (holds === "names" && isObject(value)) return Object.entries(value).map(([name, inner]) => [`.${name}`, inner]);
  return [];
}

const ECHO_CHARS = 100;

function unknownKeyword(keyword: string, where: string): HubError {
  const known = [...KEYWORDS.keys()];
  const name = keyword.slice(0, ECHO_CHARS);
  return wrong(where, `has a keyword that templates do not take: ${name}${didYouMean(name, known)}`, {
    keyword: name,
    known,
  });
}

const wrong = (where: string, what: string, more: object = {}) => {
  const field = where.slice(0, 2 * ECHO_CHARS);
  return new HubError("invalid_params", `${field} ${what}`, { field, ...more });
};
