/** From an HTTP request to an operation's parameters. */
import type { Request } from "express";
import * as z from "zod";
import { HubError } from "../../../shared/errors.ts";
import { name as nameField, run as runField } from "../../../shared/fields.ts";
import { parseJson } from "../../../shared/json.ts";
import type { Operation } from "../../../shared/operations.ts";
import { validate } from "../../../shared/validate.ts";
import type { Client } from "../../hub/client.ts";

type Params = Record<string, unknown>;

/** Reads an operation's parameters from path, query, body and headers. */
export function inputOf(operation: Operation): (request: Request) => Params {
  const numbers = numericParameters(operation);
  const takesKey = "idempotency_key" in operation.params.shape;
  return (request) => ({
    ...(operation.rest.method === "GET" ? fromQuery(request, numbers) : fromBody(request)),
    ...request.params,
    ...(takesKey && keyOf(request)),
  });
}

/** Who is calling: a label, as long as there are no tokens. */
export function clientOf(request: Request, gone?: AbortSignal): Client {
  return {
    claude_id: header(request, "x-claude-id", nameField),
    run: header(request, "x-claude-run", runField),
    ...(gone && { gone }),
  };
}

function header(request: Request, name: string, schema: z.ZodType<string>): string | null {
  const value = request.get(name);
  return value === undefined ? null : (validate(z.object({ [name]: schema }), { [name]: value })[name] as string);
}

function keyOf(request: Request): Params {
  const key = request.get("idempotency-key");
  return key === undefined ? {} : { idempotency_key: key };
}

function fromBody(request: Request): Params {
  const text = typeof request.body === "string" ? request.body : "";
  if (text === "") return {};
  if (!request.is("json")) {
    throw new HubError("bad_json", "The body must be JSON: send it with Content-Type: application/json");
  }
  const body = parseJson(text);
  if (typeof body !== "object" || body === null || Array.isArray(body)) {
    throw new HubError("invalid_params", "The body must be a JSON object");
  }
  return body as Params;
}

/** Everything in a query is text; what the table calls a number is made one where it looks like one. */
function fromQuery(request: Request, numbers: ReadonlySet<string>): Params {
  const params: Params = {};
  for (const [name, value] of new URL(request.originalUrl, "http://hub").searchParams) {
    if (name in params) throw new HubError("invalid_params", `${name} is given twice`, { field: name });
    params[name] = numbers.has(name) && /^-?[0-9]{1,16}(\.[0-9]+)?$/.test(value) ? Number(value) : value;
  }
  return params;
}

function numericParameters({ params }: Operation): ReadonlySet<string> {
  const { properties = {} } = z.toJSONSchema(params, { io: "input", unrepresentable: "any" });
  const numeric = Object.entries(properties).filter(
    ([, schema]) => typeof schema === "object" && schema.type === "integer",
  );
  return new Set(numeric.map(([name]) => name));
}
