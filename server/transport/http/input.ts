/** From an HTTP request to an operation's parameters. */
import type { Request } from "express";
import * as z from "zod";
import { HubError } from "../../../shared/errors.ts";
import { assertShallow, isObject, parseJson } from "../../../shared/json.ts";
import type { Operation } from "../../../shared/operations/index.ts";

type Params = Record<string, unknown>;

/** Reads an operation's parameters from path, query, body and headers. */
export function inputOf(operation: Operation): (request: Request) => Params {
  const said = operation.rest.method === "GET" ? queryReader(operation) : bodyReader(operation);
  const takesKey = "idempotency_key" in operation.params.shape;
  return (request) => {
    const params = said(request);
    refuseContradiction(params, request.params);
    return { ...params, ...request.params, ...(takesKey && keyOf(request, params)) };
  };
}

/** Everything in a query is text; it becomes what the table calls for where it reads as such. */
function queryReader(operation: Operation): (request: Request) => Params {
  let types: ReadonlyMap<string, string> | undefined; // known with the first query: a hub starts sooner without
  return (request) => {
    const params: Params = Object.create(null);
    for (const [name, value] of queryOf(request)) {
      if (name in params) throw new HubError("invalid_params", `${name} is given twice`, { field: name });
      types ??= parameterTypes(operation);
      params[name] = typed(value, types.get(name));
    }
    return params;
  };
}

/** A request that changes something has its fields in the body. */
function bodyReader(operation: Operation): (request: Request) => Params {
  const isOptional = optionalIn(operation);
  return (request) => {
    const params = withoutNulls(fromBody(request), isOptional);
    const [field] = queryOf(request).keys();
    if (field === undefined) return params;
    throw new HubError("invalid_params", `Unknown field in the query: ${field}; this takes its fields in the body`, {
      field,
    });
  };
}

function queryOf({ originalUrl }: Request): URLSearchParams {
  const [, ...query] = originalUrl.split("?");
  return new URLSearchParams(query.join("?"));
}

/** Many languages write null for what is left out. */
function withoutNulls(body: Params, isOptional: (name: string) => boolean): Params {
  const isNothing = ([name, value]: [string, unknown]) => value === null && isOptional(name);
  const said = Object.entries(body);
  return said.some(isNothing) ? Object.fromEntries(said.filter((field) => !isNothing(field))) : body;
}

function optionalIn({ params }: Operation): (name: string) => boolean {
  const fields = Object.entries(params.shape as Record<string, z.ZodType>);
  const names = new Set(fields.filter(([, type]) => type.safeParse(undefined).success).map(([name]) => name));
  return (name) => names.has(name);
}

function refuseContradiction(params: Params, path: Params): void {
  const field = Object.keys(path).find((name) => params[name] !== undefined && params[name] !== path[name]);
  if (field === undefined) return;
  throw new HubError("invalid_params", `${field} differs from the one in the path: say it there only`, { field });
}

function keyOf(request: Request, { idempotency_key: inBody }: Params): Params {
  const key = request.get("idempotency-key");
  if (key === undefined) return {};
  if (inBody !== undefined && inBody !== key) {
    throw new HubError("invalid_params", "idempotency_key differs from the header Idempotency-Key: say it once", {
      field: "idempotency_key",
    });
  }
  return { idempotency_key: key };
}

function fromBody(request: Request): Params {
  const raw: unknown = request.body;
  const isJson = request.is("json"); // null: there is no body
  if (isJson === null || (Buffer.isBuffer(raw) && raw.length === 0)) return {};
  if (!isJson) {
    throw new HubError("bad_json", "The body must be JSON: send it with Content-Type: application/json");
  }
  const body = Buffer.isBuffer(raw) ? parseJson(textOf(raw)) : parsedByApp(raw);
  if (!isObject(body)) throw new HubError("invalid_params", "The body must be a JSON object");
  return body;
}

/** What an app around us has parsed already. */
function parsedByApp(value: unknown): unknown {
  assertShallow(value);
  return value;
}

/** Text is kept byte for byte or refused: no decoder may replace a broken byte. */
function textOf(body: Buffer): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(body);
  } catch {
    throw new HubError("bad_json", "The body is not UTF-8");
  }
}

function typed(value: string, type: string | undefined): unknown {
  if (type === "integer" && /^-?[0-9]+(\.[0-9]+)?$/.test(value)) return Number(value);
  if (type === "boolean" && /^(true|false)$/.test(value)) return value === "true";
  if (type === "array") return value === "" ? [] : value.split(",");
  return value;
}

function parameterTypes({ params }: Operation): ReadonlyMap<string, string> {
  const { properties = {} } = z.toJSONSchema(params, { io: "input", unrepresentable: "any" });
  return new Map(
    Object.entries(properties).map(([name, schema]) => [name, typeof schema === "object" ? String(schema.type) : ""]),
  );
}
