/** The values of a template's parameters, as given on the command line. */
import { InvalidArgumentError } from "commander";
import type { Template } from "../../../shared/index.ts";
import type { Context } from "../context.ts";
import { UsageError } from "../process/errors.ts";
import type { Input } from "./inputs.ts";

type Pair = readonly [name: string, value: string];

export const param: Input<readonly Pair[] | undefined> = {
  usage: "--param <name=value>",
  help: "A parameter of the template; may be given again. Where it is no text, JSON.",
  parse: (text, before) => [...((before ?? []) as readonly Pair[]), pair(text)],
};

function pair(text: string): Pair {
  const at = text.indexOf("=");
  if (at < 1) throw new InvalidArgumentError("It must be NAME=VALUE.");
  return [text.slice(0, at), text.slice(at + 1)];
}

/**
 * Texts as they are; where the template's schema wants another type, the value parsed as JSON.
 *
 * @throws UsageError when one of those is not JSON.
 */
export async function paramsOf(context: Context, name: string, pairs: readonly Pair[]) {
  const { parameters } = await context.call("template_get", { name });
  return Object.fromEntries(
    pairs.map(([param, text]) => [param, valueOfParam(param, text, schemaOf(parameters, param))]),
  );
}

interface PropertySchema {
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
}

function schemaOf(parameters: Template["parameters"], name: string): PropertySchema | undefined {
  const properties = parameters?.properties as Record<string, PropertySchema> | undefined;
  return properties && Object.hasOwn(properties, name) ? properties[name] : undefined;
}

function valueOfParam(name: string, text: string, schema: PropertySchema | undefined): unknown {
  const { type, enum: allowed } = schema ?? {};
  if (schema === undefined || allowed?.includes(text) || [type].flat().includes("string")) return text;
  try {
    return JSON.parse(text);
  } catch {
    if (type === undefined) return text;
    throw new UsageError(`--param ${name} must be JSON (${[type].flat().join(" or ")})`);
  }
}
