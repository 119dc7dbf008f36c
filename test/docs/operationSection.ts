/** What the protocol page says of one operation. */
import { DEFAULT_PORT } from "../../shared/defaults.ts";
import { OPERATIONS, type Operation, type OperationName } from "../../shared/operations/index.ts";
import { BASE_PATH } from "../../shared/protocol.ts";
import { EXAMPLES } from "./examples.ts";
import { fieldTable, typeOf } from "./markdown.ts";
import { REPEAT_MEANINGS } from "./meanings.ts";
import { restRequest } from "./rest.ts";
import type { ContractSchemas } from "./schemas.ts";

export function operationSection(name: OperationName, { params, results }: ContractSchemas): string {
  const operation: Operation = OPERATIONS[name];
  const routes = operation.rest.paths.map((path) => `\`${operation.rest.method} ${BASE_PATH}${path}\``).join(" · ");
  const codes = operation.errors.map((code) => `\`${code}\``).join(", ");
  return [
    `### ${name}`,
    operation.summary,
    `${routes} — ${REPEAT_MEANINGS[operation.repeat]}`,
    Object.keys(operation.params.shape).length > 0 ? fieldTable(params[name]) : "No parameters.",
    `Result: ${typeOf(results[name])}. Errors: ${codes || "only the common ones"}.`,
    fenced("bash", curl(operation, EXAMPLES[name].params)),
    fenced("text", onSocket(name)),
  ].join("\n\n");
}

const fenced = (language: string, text: string) => `\`\`\`${language}\n${text}\n\`\`\``;

function curl(operation: Operation, params: Record<string, unknown>): string {
  const { path, query, headers, body } = restRequest(operation, params);
  const search = query.length > 0 ? `?${new URLSearchParams(query)}` : "";
  const { method } = operation.rest;
  const parts = [
    `curl ${method === "GET" ? "" : `-X ${method} `}'http://127.0.0.1:${DEFAULT_PORT}${path}${search}'`,
    ...(operation.errors.includes("not_recipient") ? ["-H 'X-Claude-Id: server_backend'"] : []),
    ...Object.entries(headers).map(([name, value]) => `-H '${name}: ${value}'`),
    ...(body ? ["-H 'Content-Type: application/json'", `-d '${JSON.stringify(body)}'`] : []),
  ];
  return parts.join(" \\\n  ");
}

function onSocket(name: OperationName): string {
  const { params, result } = EXAMPLES[name];
  const request = { jsonrpc: "2.0", id: 1, method: name, ...(Object.keys(params).length > 0 && { params }) };
  return `→ ${JSON.stringify(request)}\n← ${JSON.stringify({ jsonrpc: "2.0", id: 1, result })}`;
}
