/** How an operation is asked and answered over REST, as the table says it. */
import { MAIN_PART, type Operation, type RestRoute, type RestShape } from "../../shared/operations/index.ts";
import { BASE_PATH } from "../../shared/protocol.ts";
import type { Schema } from "./schemas.ts";

interface RestRequest {
  /** The base path included. */
  path: string;
  query: [string, string][];
  headers: Record<string, string>;
  body: Record<string, unknown> | undefined;
}

export const pathParameters = (path: string) => [...path.matchAll(/:(\w+)/g)].map((match) => match[1] as string);

/** Parameters that REST takes from a header. */
export const PARAMETER_HEADERS: Record<string, string> = { idempotency_key: "Idempotency-Key" };

/** The request that asks an operation with these parameters. */
export function restRequest({ rest }: Operation, params: Record<string, unknown>): RestRequest {
  const left = new Map(Object.entries(params));
  const take = (name: string) => {
    const value = left.get(name);
    left.delete(name);
    return String(value);
  };
  const path =
    BASE_PATH + pathFor(rest, params).replace(/:(\w+)/g, (_, name: string) => encodeURIComponent(take(name)));
  const headers: Record<string, string> = {};
  for (const [name, header] of Object.entries(PARAMETER_HEADERS)) if (left.has(name)) headers[header] = take(name);
  const reads = rest.method === "GET";
  return {
    path,
    headers,
    query: reads ? [...left].map(([name, value]) => [name, String(value)]) : [],
    body: reads || left.size === 0 ? undefined : Object.fromEntries(left),
  };
}

const pathFor = ({ paths }: RestRoute, params: Record<string, unknown>): string =>
  paths.findLast((path) => pathParameters(path).every((name) => name in params)) ?? paths[0];

/** The body that dresses a result. */
export function dress(shape: RestShape, result: unknown): Record<string, unknown> {
  const fields = result as Record<string, unknown>;
  switch (shape) {
    case "data":
    case "page":
      return { success: true, data: result };
    case "list":
    case "sent": {
      const { [MAIN_PART[shape]]: data, ...rest } = fields;
      return { success: true, ...(shape === "list" && { count: rest.count }), data, ...rest };
    }
    case "deleted":
      return { success: true, message: `Message deleted: ${fields.id}` };
    case "beat":
      return { success: true, ...fields };
  }
}

/** The schema of that body. */
export function dressedSchema(shape: RestShape, result: Schema, named: Record<string, Schema>): Schema {
  const inner = (name: string, field: string) => named[name]?.properties?.[field] as Schema;
  const body = (properties: Record<string, Schema>, optional: string[] = []): Schema => ({
    type: "object",
    properties: { success: { type: "boolean", const: true }, ...properties },
    required: ["success", ...Object.keys(properties).filter((name) => !optional.includes(name))],
  });
  switch (shape) {
    case "data":
    case "page":
      return body({ data: result });
    case "list": {
      const from = (field: string) => inner("MessageList", field);
      return body({ count: from("count"), data: from("messages"), cursor: from("cursor"), next: from("next") }, [
        "next",
      ]);
    }
    case "sent": {
      const from = (field: string) => inner("Sent", field);
      const once = { data: from("message"), recipient: from("recipient"), deduplicated: from("deduplicated") };
      return body({ ...once, messages: from("messages") }, ["messages"]);
    }
    case "deleted":
      return body({ message: { type: "string" } });
    case "beat":
      return body({ timestamp: inner("Beat", "timestamp"), claude_id: inner("Beat", "claude_id") });
  }
}
