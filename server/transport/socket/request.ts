/** Requests on a socket, before anybody looks at what they ask for. */
import { HubError } from "../../../shared/errors.ts";
import { type RpcId, type RpcRequest, rpcRequest } from "../../../shared/frames.ts";
import { isObject, parseJson } from "../../../shared/json.ts";
import { LIMITS } from "../../../shared/limits.ts";

/** The requests in a frame: one, or an array of them. @throws HubError when it holds none, or too many. */
export function requestsIn(text: string): readonly unknown[] {
  const parsed = parseJson(text);
  if (!Array.isArray(parsed)) return [parsed];
  if (parsed.length === 0) throw new HubError("invalid_request", "An empty array asks for nothing");
  if (parsed.length > LIMITS.batch_requests) {
    throw new HubError("invalid_request", `A frame holds at most ${LIMITS.batch_requests} requests`);
  }
  return parsed;
}

/** The common shape, recognised without the schema, which is left to explain what is wrong. */
function isPlainRequest(value: unknown): value is RpcRequest {
  if (!isObject(value)) return false;
  const { jsonrpc, id, method, params, ...more } = value;
  if (jsonrpc !== "2.0" || typeof method !== "string" || Object.keys(more).length > 0) return false;
  if (method.length > LIMITS.name_chars) return false;
  return Number.isSafeInteger(id) && isObject(params);
}

/** The id of whatever was sent, so that even a malformed request is answered under its own. */
export function idOf(value: unknown): RpcId | null {
  const id = isObject(value) ? value.id : undefined;
  return typeof id === "number" || (typeof id === "string" && id.length <= LIMITS.key_chars) ? id : null;
}

/** How much of a stranger's text is repeated to it. */
const ECHO_CHARS = 200;

export function validateRequest(value: unknown): RpcRequest {
  if (isPlainRequest(value)) return value;
  const parsed = rpcRequest.safeParse(value);
  // As it came, not as parsed: zod's records drop a `__proto__` without a word.
  if (parsed.success) return value as RpcRequest;
  const { path, message } = parsed.error.issues[0] as { path: PropertyKey[]; message: string };
  const said = message.slice(0, ECHO_CHARS);
  throw new HubError("invalid_request", `Not a JSON-RPC 2.0 request: ${path.join(".") || "it"}: ${said}`);
}
