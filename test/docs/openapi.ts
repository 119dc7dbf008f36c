/** The REST side of the contract as an OpenAPI 3.1 document. */
import { DEFAULT_PORT } from "../../shared/defaults.ts";
import { ERRORS } from "../../shared/errors.ts";
import { OPERATIONS, type Operation, type OperationName } from "../../shared/operations/index.ts";
import { BASE_PATH, PROTOCOL_VERSION } from "../../shared/protocol.ts";
import { byStatus, ERROR_CODES, errorsOf } from "./errors.ts";
import { EXAMPLES } from "./examples.ts";
import { dress, dressedSchema, PARAMETER_HEADERS, pathParameters, restRequest } from "./rest.ts";
import { type ContractSchemas, contractSchemas, type Field, fieldsOf, needed } from "./schemas.ts";

type Json = Record<string, unknown>;

/** Builds the document anew from the operations table. */
export function openapi(): Json {
  const contract = contractSchemas();
  const paths = allPaths(contract);
  return {
    openapi: "3.1.0",
    info: {
      title: "coordination-hub",
      version: String(PROTOCOL_VERSION),
      summary: "Independent agents send each other chat and tasks.",
      description: "PROTOCOL.md is the same for people, with the rules that a schema cannot say.",
      license: { name: "MIT", identifier: "MIT" },
    },
    servers: [{ url: `http://127.0.0.1:${DEFAULT_PORT}`, description: "A hub started with its defaults." }],
    paths,
    components: { schemas: { ...needed(paths, contract.named), Error: ERROR }, parameters: HEADERS },
  };
}

function allPaths(contract: ContractSchemas): Record<string, Json> {
  const paths: Record<string, Json> = {};
  for (const [name, operation] of Object.entries<Operation>(OPERATIONS)) {
    for (const path of operation.rest.paths) {
      const template = BASE_PATH + path.replace(/:(\w+)/g, "{$1}");
      const method = operation.rest.method.toLowerCase();
      paths[template] = { ...paths[template], [method]: pathItem(name as OperationName, operation, path, contract) };
    }
  }
  return paths;
}

function pathItem(name: OperationName, operation: Operation, path: string, contract: ContractSchemas): Json {
  const { rest, summary, repeat } = operation;
  const inPath = pathParameters(path);
  const fields = fieldsOf(contract.params[name]);
  const others = fields.filter((field) => !inPath.includes(field.name) && !(field.name in PARAMETER_HEADERS));
  const reads = rest.method === "GET";
  return {
    operationId: inPath.length > 0 && rest.paths.length > 1 ? `${name}_by_${inPath.join("_")}` : name,
    summary,
    "x-repeat": repeat,
    parameters: [
      ...fields.filter((field) => inPath.includes(field.name)).map((field) => parameter("path", field)),
      ...(reads ? others.map((field) => parameter("query", field)) : []),
      ...headersOf(name, operation),
    ],
    ...(!reads && others.length > 0 && { requestBody: requestBody(others, bodyExample(name, operation)) }),
    responses: { ...successes(name, operation, contract), ...failures(operation) },
  };
}

const parameter = (place: "path" | "query", { name, required, description, schema }: Field): Json => ({
  name,
  in: place,
  required: place === "path" || required,
  ...(description && { description }),
  ...(schema.type === "array" && { style: "form", explode: false }),
  schema,
});

const bodyExample = (name: OperationName, operation: Operation) => restRequest(operation, EXAMPLES[name].params).body;

function requestBody(fields: Field[], example: unknown): Json {
  const required = fields.filter((field) => field.required).map((field) => field.name);
  const described = ({ name, description, schema }: Field) => [
    name,
    { ...(description && { description }), ...schema },
  ];
  const schema = {
    type: "object",
    properties: Object.fromEntries(fields.map(described)),
    ...(required.length > 0 && { required }),
    additionalProperties: false,
  };
  return { required: required.length > 0, content: json(schema, example) };
}

function successes(name: OperationName, { rest: { shape } }: Operation, { results, named }: ContractSchemas): Json {
  const content = json(dressedSchema(shape, results[name], named), dress(shape, EXAMPLES[name].result));
  if (shape === "sent") {
    return {
      201: { description: "Stored.", content },
      200: { description: "Stored before under the same key: the message of then.", content },
    };
  }
  if (shape === "page") {
    const stream = { schema: { type: "string", description: "`id` is a cursor, `data` a page as JSON." } };
    const description = "A page; with `Accept: text/event-stream`, pages without end as server-sent events.";
    return { 200: { description, content: { ...content, "text/event-stream": stream } } };
  }
  return { 200: { description: "Done.", content } };
}

function failures(operation: Operation): Json {
  const content = json({ $ref: "#/components/schemas/Error" });
  const responses: Json = {};
  for (const [status, codes] of byStatus(errorsOf(operation))) {
    responses[status] = {
      description: codes.map((code) => `\`${code}\`: ${ERRORS[code].action}`).join("\n\n"),
      content,
    };
  }
  return { ...responses, default: { description: "Any other error.", content } };
}

const json = (schema: Json, example?: unknown) => ({
  "application/json": { schema, ...(example !== undefined && { example }) },
});

const ERROR = {
  type: "object",
  description: "What went wrong: a sentence for a person, a word for a machine.",
  properties: {
    success: { type: "boolean", const: false },
    error: { type: "string" },
    code: { type: "string", enum: ERROR_CODES },
    details: { type: "object", description: "More, by code: the field, the present status, the nearest name." },
  },
  required: ["success", "error", "code"],
};

const header = (name: string, description: string) => ({ name, in: "header", description, schema: { type: "string" } });

const HEADERS = {
  ClaudeId: header("X-Claude-Id", "Who is calling."),
  Run: header("X-Claude-Run", "The random id of this life of the client's process."),
  Roles: header("X-Claude-Roles", "What it can do, with commas between: it is in the pool `@ROLE` of each."),
  About: header("X-Claude-About", "What else it tells of itself: a JSON object in ASCII, as `about` in `hello`."),
  IdempotencyKey: header("Idempotency-Key", "Your own key: a repeat with it is the same message."),
  LastEventId: header("Last-Event-ID", "The last id that an event stream gave: the cursor to go on from."),
};

function headersOf(name: OperationName, { rest }: Operation): Json[] {
  const applies = {
    IdempotencyKey: name === "send",
    LastEventId: rest.shape === "page",
    ClaudeId: true,
    Run: true,
    Roles: true,
    About: true,
  };
  return Object.entries(applies)
    .filter(([, yes]) => yes)
    .map(([parameter]) => ({ $ref: `#/components/parameters/${parameter}` }));
}
