/** Schemas and rows as Markdown tables. */
import { type Field, fieldsOf, type Schema } from "./schemas.ts";

const cell = (text: string) => text.replaceAll("|", "\\|").replaceAll("\n", " ");

export function table(head: string[], rows: string[][]): string {
  const line = (cells: string[]) => `| ${cells.map(cell).join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}

export const grouped = (value: number) => value.toLocaleString("en-US");

/** The fields of an object, the required ones first; `name?` may be left out. */
export function fieldTable(object: Schema): string {
  const rows = fieldsOf(object).map((field) => [fieldName(field), typeOf(field.schema), field.description ?? ""]);
  return table(["field", "type", "meaning"], rows);
}

const fieldName = ({ name, required }: Field) => `\`${name}${required ? "" : "?"}\``;

/** A type in a few words: `integer, 1 to 500`. */
export function typeOf(schema: Schema): string {
  if (schema.$ref !== undefined) return typeLink(schema.$ref);
  if (schema.const !== undefined) return `\`${schema.const}\``;
  if (schema.enum !== undefined) return schema.enum.map((value) => `\`${value}\``).join(", ");
  if (schema.anyOf !== undefined) return schema.anyOf.map((one) => typeOf(one as Schema)).join(" or ");
  switch (schema.type) {
    case "string":
      return stringType(schema);
    case "integer":
    case "number":
      return `${schema.type}${range(schema)}`;
    case "array":
      return `array${schema.maxItems ? ` (at most ${schema.maxItems})` : ""} of ${typeOf(schema.items as Schema)}`;
    case "object":
      return objectType(schema);
    default:
      return String(schema.type);
  }
}

function typeLink(ref: string): string {
  const name = ref.slice(ref.lastIndexOf("/") + 1);
  return `[${name}](#${name.toLowerCase()}-object)`;
}

function stringType(schema: Schema): string {
  if (schema.format === "date-time") return "time";
  const bytes = schema["x-max-json-bytes"] as number | undefined;
  if (bytes !== undefined) return `text, at most ${grouped(bytes)} bytes`;
  return schema.maxLength === undefined ? "string" : `string, at most ${grouped(schema.maxLength)} characters`;
}

function range({ minimum, maximum }: Schema): string {
  if (minimum === undefined) return maximum === undefined ? "" : `, at most ${grouped(maximum)}`;
  return maximum === undefined ? `, at least ${grouped(minimum)}` : `, ${grouped(minimum)} to ${grouped(maximum)}`;
}

function objectType(schema: Schema): string {
  if (schema.properties === undefined && schema.additionalProperties === undefined) return "object";
  if (schema.properties === undefined) return `object of ${typeOf(schema.additionalProperties as Schema)}s`;
  const fields = fieldsOf(schema).map((field) => `${fieldName(field)}: ${typeOf(field.schema)}`);
  return `{ ${fields.join("; ")} }`;
}
