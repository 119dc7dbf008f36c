/** Values held against the schemas of the generated documents. */
import { Ajv2020 } from "ajv/dist/2020.js";
import { OPERATIONS, type Operation, type OperationName } from "../../shared/operations/index.ts";
import { BASE_PATH } from "../../shared/protocol.ts";
import { openapi } from "./openapi.ts";
import { openrpc } from "./openrpc.ts";

export const rest = openapi();
export const rpc = openrpc();

const ajv = new Ajv2020({ strict: false, validateFormats: false });
ajv.addSchema(rest, "openapi").addSchema(rpc, "openrpc");

const CONTENT = "content/application~1json/schema";

/** Where the documents describe something of an operation. */
export const place = {
  result: (name: OperationName) => `openrpc#/methods/${methodIndex(name)}/result/schema`,
  answer: (name: OperationName, status: number) => `${pathItem(name)}/responses/${status}/${CONTENT}`,
  body: (name: OperationName) => `${pathItem(name)}/requestBody/${CONTENT}`,
};

/** What is wrong with a value, by the schema at a place; empty when nothing is. */
export function faults(at: string, value: unknown): string {
  return ajv.validate({ $ref: at }, value) ? "" : ajv.errorsText();
}

const methodIndex = (name: OperationName) => (rpc.methods as { name: string }[]).findIndex((one) => one.name === name);

function pathItem(name: OperationName): string {
  const { method, paths } = (OPERATIONS[name] as Operation).rest;
  const path = (BASE_PATH + paths[0].replace(/:(\w+)/g, "{$1}")).replaceAll("/", "~1");
  return `openapi#/paths/${encodeURIComponent(path)}/${method.toLowerCase()}`;
}
