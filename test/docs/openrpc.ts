/** The socket's side of the contract as an OpenRPC document. */

import * as z from "zod";
import { DEFAULT_PORT } from "../../shared/defaults.ts";
import { ERRORS, toRpcError } from "../../shared/errors.ts";
import { NOTIFICATIONS } from "../../shared/frames.ts";
import { COMMON_ERRORS, OPERATION_NAMES, OPERATIONS, type Operation } from "../../shared/operations/index.ts";
import { PROTOCOL_VERSION, SOCKET_PATH } from "../../shared/protocol.ts";
import { EXAMPLES } from "./examples.ts";
import { NOTIFICATION_MEANINGS } from "./meanings.ts";
import { contractSchemas, fieldsOf, needed, type Schema } from "./schemas.ts";

type Json = Record<string, unknown>;

/** Builds the document anew from the operations table and the frames. */
export function openrpc(): Json {
  const { named, params, results } = contractSchemas();
  const document = {
    openrpc: "1.3.2",
    info: {
      title: "coordination-hub",
      version: String(PROTOCOL_VERSION),
      description: "PROTOCOL.md is the same for people, with the rules that a schema cannot say.",
      license: { name: "MIT" },
    },
    servers: [{ name: "A hub started with its defaults", url: `ws://127.0.0.1:${DEFAULT_PORT}${SOCKET_PATH}` }],
    methods: [
      {
        name: "hello",
        summary: "Open the session: the first request on every socket.",
        paramStructure: "by-name",
        params: parameters(named.Hello as Schema),
        result: { name: "welcome", schema: { $ref: "#/components/schemas/Welcome" } },
        errors: ["invalid_params", "hello_repeated", "tokens_required"].map((code) => errorObject(code as "internal")),
      },
      {
        name: "subscribe",
        summary: "Change what this session is sent, from now on.",
        paramStructure: "by-name",
        params: parameters(named.Subscribe as Schema),
        result: { name: "subscribed", schema: { $ref: "#/components/schemas/Subscribed" } },
        errors: ["invalid_params", "hello_required"].map((code) => errorObject(code as "internal")),
      },
      {
        name: "ack",
        summary: NOTIFICATION_MEANINGS.ack,
        paramStructure: "by-name",
        params: parameters(named.Ack as Schema),
      },
      ...OPERATION_NAMES.map((name) => {
        const { summary, errors, repeat }: Operation = OPERATIONS[name];
        return {
          name,
          summary,
          paramStructure: "by-name",
          params: parameters(params[name]),
          result: { name: "result", schema: results[name] },
          errors: [...errors, ...COMMON_ERRORS].map(errorObject),
          examples: [example(name)],
          "x-repeat": repeat,
        };
      }),
    ],
    "x-notifications": Object.entries(NOTIFICATIONS.down).map(([name, schema]) => ({
      name,
      summary: NOTIFICATION_MEANINGS[name as keyof typeof NOTIFICATION_MEANINGS],
      params: { $ref: `#/components/schemas/${z.globalRegistry.get(schema)?.id}` },
    })),
  };
  return { ...document, components: { schemas: needed(document, named) } };
}

/** Content descriptors of an object's fields. */
const parameters = (object: Schema): Json[] =>
  fieldsOf(object).map(({ description, ...field }) => ({ ...field, ...(description && { description }) }));

const errorObject = (code: keyof typeof ERRORS) => toRpcError({ code, message: ERRORS[code].action });

function example(name: keyof typeof EXAMPLES): Json {
  const { params, result } = EXAMPLES[name];
  return {
    name,
    params: Object.entries(params).map(([name, value]) => ({ name, value })),
    result: { name: "result", value: result },
  };
}
