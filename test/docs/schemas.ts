/** The JSON schemas of the contract, named, so that documents can refer to them. */
import * as z from "zod";
import { event, eventMessage } from "../../shared/event.ts";
import { ack, closing, hello, subscribe, subscribed, welcome } from "../../shared/frames.ts";
import { LIMITS } from "../../shared/limits.ts";
import { attempt, message, progress, receipt } from "../../shared/message.ts";
import { OPERATION_NAMES, OPERATIONS, type OperationName } from "../../shared/operations/index.ts";
import { about, instance, presenceChanged, presenceDiff, recipient } from "../../shared/presence.ts";
import { messageToSchedule, scheduledMessage } from "../../shared/schedule.ts";
import { template, templateMessage, templateStep, templateSummary } from "../../shared/template.ts";
import { FIELD_MEANINGS } from "./meanings.ts";

export type Schema = z.core.JSONSchema.BaseSchema;

export interface ContractSchemas {
  /** By the name that the contract gives them; they refer to each other as `#/components/schemas/NAME`. */
  named: Record<string, Schema>;
  /** The parameters of each operation, one by one. */
  params: Record<OperationName, Schema>;
  /** What each operation answers. */
  results: Record<OperationName, Schema>;
}

const NAMED = [
  ...[
    message,
    progress,
    receipt,
    attempt,
    recipient,
    event,
    eventMessage,
    about,
    instance,
    presenceDiff,
    presenceChanged,
  ],
  ...[hello, welcome, subscribe, subscribed, ack, closing, messageToSchedule, scheduledMessage],
  ...[template, templateSummary, templateMessage, templateStep],
];

/**
 * Everything as it may look on the wire: requests closed to unknown fields, answers open, because a client
 * ignores what it does not know.
 */
export function contractSchemas(): ContractSchemas {
  const registry = z.registry<{ id: string }>();
  for (const schema of NAMED) registry.add(schema, { id: nameOf(schema) as string });
  for (const name of OPERATION_NAMES) {
    registry.add(OPERATIONS[name].params, { id: `${name}.params` });
    registry.add(OPERATIONS[name].result, { id: nameOf(OPERATIONS[name].result) ?? `${name}.result` });
  }
  const uri = (id: string) => `#/components/schemas/${id}`;
  const { schemas } = z.toJSONSchema(registry, { io: "input", uri, override: forReaders });
  const named: Record<string, Schema> = {};
  for (const [id, schema] of Object.entries(schemas)) {
    const { $schema, $id, ...rest } = schema;
    named[id] = described(id, rest);
  }
  const take = (id: string) => {
    const schema = named[id] as Schema;
    delete named[id];
    return schema;
  };
  return {
    params: perOperation((name) => take(`${name}.params`)),
    results: perOperation((name) => {
      const id = nameOf(OPERATIONS[name].result);
      return id === undefined ? take(`${name}.result`) : { $ref: uri(id) };
    }),
    named,
  };
}

/** Gives fields that say nothing of themselves what is known of their name. */
function described(id: string, schema: Schema): Schema {
  for (const [name, field] of Object.entries((schema.properties ?? {}) as Record<string, Schema>)) {
    const meaning = FIELD_MEANINGS[`${id}.${name}`] ?? FIELD_MEANINGS[name];
    if (meaning !== undefined) field.description ??= meaning;
  }
  return schema;
}

/** One field of an object. */
export interface Field {
  name: string;
  required: boolean;
  description: string | undefined;
  /** Without its description. */
  schema: Schema;
}

/** The fields of an object, the required ones first. */
export function fieldsOf({ properties = {}, required = [] }: Schema): Field[] {
  return Object.entries(properties as Record<string, Schema>)
    .map(([name, { description, ...schema }]) => ({ name, required: required.includes(name), description, schema }))
    .sort((a, b) => Number(b.required) - Number(a.required));
}

/** Of the named schemas, those that a document needs: what it refers to, and what that refers to. */
export function needed(document: unknown, named: Record<string, Schema>): Record<string, Schema> {
  const found = new Set<string>();
  const visit = (value: unknown): void => {
    for (const [, name] of JSON.stringify(value).matchAll(/"\$ref":"#\/components\/schemas\/(\w+)"/g)) {
      if (found.has(name as string)) continue;
      found.add(name as string);
      visit(named[name as string] ?? null);
    }
  };
  visit(document);
  return Object.fromEntries(Object.entries(named).filter(([name]) => found.has(name)));
}

function perOperation<T>(make: (name: OperationName) => T): Record<OperationName, T> {
  return Object.fromEntries(OPERATION_NAMES.map((name) => [name, make(name)])) as Record<OperationName, T>;
}

const nameOf = (schema: z.ZodType) => z.globalRegistry.get(schema)?.id;

type Override = NonNullable<Parameters<typeof z.toJSONSchema>[1]>["override"] & {};

/** Says what zod's own rules hide, the limits of text, and hides what readers need not see. */
const forReaders: Override = ({ zodSchema, jsonSchema }) => {
  if (jsonSchema.format === "date-time") delete jsonSchema.pattern;
  if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
  if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum;
  if (jsonSchema.type !== "string" || jsonSchema.maxLength !== undefined) return;
  const limit = textLimit(zodSchema);
  if (limit === undefined) return;
  jsonSchema.maxLength = limit; // each character takes a byte at least
  jsonSchema["x-max-json-bytes"] = limit;
};

const TOO_LONG = "x".repeat(Math.max(LIMITS.context_bytes, LIMITS.result_bytes) + 1);

/** What a schema says against a text that is too long for every limit. */
function textLimit(schema: z.core.$ZodType): number | undefined {
  for (const issue of z.safeParse(schema, TOO_LONG).error?.issues ?? []) {
    if (issue.code === "custom" && issue.params?.too_large !== undefined) return issue.params.too_large;
  }
  return undefined;
}
