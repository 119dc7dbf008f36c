/**
 * What a command takes on the command line. Inputs that are parameters of an operation are derived from the operations
 * table: their help, their type and their bounds stand there only.
 */
import { InvalidArgumentError } from "commander";
import * as z from "zod";
import { OPERATIONS, type OperationName, type Params, parseDuration, sendFields } from "../../../shared/index.ts";

export interface Input<T = unknown> {
  /** As commander writes it: `<id>`, `[result]`, `--thread <key>`. */
  readonly usage: string;
  readonly help: string;
  readonly choices?: readonly string[];
  /** Of an option whose value may be left out: the choice made then. */
  readonly preset?: string;
  /** The value that a text means, given what the input has been given before. @throws InvalidArgumentError */
  readonly parse?: (text: string, before?: unknown) => T;
}

export type Inputs = Readonly<Record<string, Input>>;

/** What a command is given: inputs that were left out are missing. */
export type Values<I extends Inputs> = { readonly [K in keyof I]: I[K] extends Input<infer T> ? T : never };

export const isOption = ({ usage }: Input) => usage.startsWith("-");

export const flag = (usage: string, help: string): Input<boolean | undefined> => ({ usage, help });

export const text = (usage: string, help: string): Input<string | undefined> => ({ usage, help });

export const integer = (usage: string, help: string): Input<number | undefined> => ({
  usage,
  help,
  parse: wholeNumber,
});

/** Milliseconds; a bare number on the command line counts seconds. */
export const duration = (usage: string, help: string): Input<number | undefined> => ({
  usage,
  help,
  parse: milliseconds,
});

/** One of several words; left out, the preset one. */
export const choice = <T extends string>(
  usage: string,
  help: string,
  choices: readonly T[],
  preset: T,
): Input<T | undefined> => ({ usage, help, choices, preset });

type Field<N extends OperationName> = keyof Params<N> & string;
type Fields<N extends OperationName, F extends Field<N>> = { [K in F]: Input<Params<N>[K]> };

/** Parameters of an operation as options, each with the name that its field gives it. */
export function fields<N extends OperationName, F extends Field<N>>(operation: N, ...names: F[]): Fields<N, F> {
  return Object.fromEntries(names.map((name) => [name, field(operation, name)])) as Fields<N, F>;
}

/**
 * A parameter of an operation.
 *
 * @param usage where it is an argument, or an option of another name.
 * @param more what there is to say on the command line only.
 */
export function field<N extends OperationName, F extends Field<N>>(
  operation: N,
  name: F,
  usage?: string,
  more = "",
): Input<Params<N>[F]> {
  const shape: Record<string, z.ZodType> = OPERATIONS[operation].params.shape;
  return inputOf(name, shape[name] as z.ZodType, usage, more) as Input<Params<N>[F]>;
}

/** What a message says that no template can. */
export const sentField = (name: "to_claude" | "task", usage: string, more = "") =>
  inputOf(name, sendFields[name], usage, more) as Input<string>;

function inputOf(name: string, type: z.ZodType, usage: string | undefined, more: string): Input {
  const schema = z.toJSONSchema(type, { io: "input", unrepresentable: "any" });
  const { hint, input } = kindOf(name, schema);
  return {
    usage: usage ?? [`--${optionName(name)}`, ...(hint ? [`<${hint}>`] : [])].join(" "),
    help: `${schema.description ?? ""}${more}`,
    ...input,
  };
}

/** @example optionName("thread_id") === "thread" */
const optionName = (fieldName: string) =>
  fieldName
    .replace(/^idempotency_/, "")
    .replace(/_(claude|id|ms)$/, "")
    .replaceAll("_", "-");

type Schema = z.core.JSONSchema.BaseSchema;

/** How a field of some type is written: what stands for its value in the help, and how that is read. */
function kindOf(name: string, schema: Schema): { hint: string; input: Pick<Input, "parse" | "choices"> } {
  if (schema.type === "boolean") return { hint: "", input: {} };
  if (schema.enum) return { hint: optionName(name), input: { choices: schema.enum as string[] } };
  if (schema.type === "array") return { hint: "ids...", input: {} };
  if (schema.format === "date-time") return { hint: "time", input: {} };
  if (schema.type === "integer") {
    return name.endsWith("_ms")
      ? { hint: "duration", input: { parse: milliseconds } }
      : { hint: "n", input: { parse: wholeNumber } };
  }
  if (schema.type === "number") return { hint: "n", input: { parse: decimal } };
  return { hint: HINTS.find(([pattern]) => pattern.test(name))?.[1] ?? "text", input: {} };
}

const HINTS: readonly [RegExp, string][] = [
  [/(_claude|_for)$/, "name"],
  [/^(reply_to|parent_id|chain_id)$/, "id"],
  [/(thread_id|_key)$/, "key"],
  [/^next$/, "mark"],
];

function wholeNumber(text: string): number {
  if (!/^-?\d{1,15}$/.test(text)) throw new InvalidArgumentError("It must be a whole number.");
  return Number(text);
}

function decimal(text: string): number {
  if (!/^-?\d{1,15}(\.\d{1,6})?$/.test(text)) throw new InvalidArgumentError("It must be a number.");
  return Number(text);
}

function milliseconds(text: string): number {
  const ms = parseDuration(text);
  if (ms === undefined) throw new InvalidArgumentError("It must be a duration: 30 (seconds), 500ms, 10m, 2h, 1d.");
  return ms;
}
