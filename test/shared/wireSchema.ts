/** What peers of the hub rely on, in a canonical form: a change of its hash is a change of the protocol. */
import { createHash } from "node:crypto";
import * as z from "zod";
import { CLOSE } from "../../shared/closeCodes.ts";
import { ERRORS } from "../../shared/errors.ts";
import { hello, NOTIFICATIONS, rpcRequest, SUBPROTOCOL, subscribe, subscribed, welcome } from "../../shared/frames.ts";
import { OPERATIONS } from "../../shared/operations/index.ts";
import { BASE_PATH, SOCKET_PATH } from "../../shared/protocol.ts";

const incoming = (schema: z.ZodType) => z.toJSONSchema(schema, { io: "input" });
const outgoing = (schema: z.ZodType) => z.toJSONSchema(schema, { io: "output" });

/** Every schema that travels, with its direction, and the constants that peers compare. */
function wireSchema(): unknown {
  return canonical({
    places: { BASE_PATH, SOCKET_PATH, SUBPROTOCOL },
    frame: incoming(rpcRequest),
    hello: { params: incoming(hello), result: outgoing(welcome) },
    subscribe: { params: incoming(subscribe), result: outgoing(subscribed) },
    up: mapValues(NOTIFICATIONS.up, incoming),
    down: mapValues(NOTIFICATIONS.down, outgoing),
    operations: mapValues(OPERATIONS, ({ params, result, rest }) => ({
      params: incoming(params),
      result: outgoing(result),
      rest,
    })),
    errors: mapValues(ERRORS, ({ http, rpc, retryable }) => ({ http, rpc, retryable })),
    closes: mapValues(CLOSE, ({ code, client }) => ({ code, client })),
  });
}

export const wireHash = (): string => createHash("sha256").update(JSON.stringify(wireSchema())).digest("hex");

/** The same value with keys and `required` in alphabetical order and without descriptions. */
export function canonical(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(canonical);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value)
    .filter(([key, inner]) => !(key === "description" && typeof inner === "string"))
    .map(([key, inner]) => [key, key === "required" ? [...(inner as string[])].sort() : canonical(inner)] as const);
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}

const mapValues = <T, U>(record: Record<string, T>, map: (value: T) => U): Record<string, U> =>
  Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value)]));
