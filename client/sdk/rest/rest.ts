/** An operation as an HTTP request, and its result out of the response: both by the operations table. */
import { fromRestError, OPERATIONS, type OperationName, type RestShape } from "../../../shared/index.ts";
import { ConnectionLost } from "../errors.ts";
import { toPath } from "./restPath.ts";

export interface RestRequest {
  method: string;
  url: string;
  body?: string;
}

type Fields = Record<string, unknown>;

/**
 * @throws HubError where a parameter cannot stand in the path: what the hub would answer.
 * @example toRequest("http://h/api/coord", "claim", { id: "a1" })
 *   // { method: "POST", url: "http://h/api/coord/message/a1/claim", body: "{}" }
 */
export function toRequest(base: string, operation: OperationName, params: object): RestRequest {
  const { method } = OPERATIONS[operation].rest;
  const { path, rest } = toPath(operation, params as Fields);
  if (method === "GET" || method === "DELETE") return { method, url: base + path + query(rest) };
  return { method, url: base + path, body: JSON.stringify(rest) };
}

function query(fields: Fields): string {
  const given = Object.entries(fields).filter(([, value]) => value !== undefined);
  if (given.length === 0) return "";
  return `?${new URLSearchParams(given.map(([name, value]) => [name, String(value)]))}`;
}

/**
 * The result of an operation out of the body of its response.
 *
 * @throws HubError what the hub refused, ConnectionLost when no hub wrote this body.
 */
export function fromResponse(operation: OperationName, params: object, body: Fields): unknown {
  const { shape } = OPERATIONS[operation].rest;
  const isResult = body.success === true && ("data" in body || WITHOUT_DATA.has(shape));
  if (isResult) return UNDRESS[shape](body, params as Fields);
  const isRefusal = body.success === false && typeof body.error === "string";
  if (!isRefusal) throw new ConnectionLost("the answer did not come from a hub");
  throw fromRestError(body as Parameters<typeof fromRestError>[0]);
}

const UNDRESS: Record<RestShape, (body: Fields, params: Fields) => unknown> = {
  data: ({ data }) => data,
  page: ({ data }) => data,
  list: ({ success: _, data, ...more }) => ({ messages: data, ...more }),
  sent: ({ success: _, data, ...more }) => ({ message: data, ...more }),
  deleted: (_, { id }) => ({ id, deleted: true }),
  beat: ({ timestamp, claude_id }) => ({ timestamp, claude_id }),
};

const WITHOUT_DATA: ReadonlySet<RestShape> = new Set(["deleted", "beat"]);

/** Carries operations out over HTTP. */
export class RestClient {
  readonly #base: string;
  readonly #headers: Readonly<Record<string, string>>;

  constructor(base: string, headers: Readonly<Record<string, string>>) {
    this.#base = base;
    this.#headers = headers;
  }

  /**
   * @returns the result; rejects with a HubError that the hub gave, any other error means that no hub answered.
   * @throws at once what keeps the parameters from being written or sent.
   */
  call(operation: OperationName, params: object, signal: AbortSignal): Promise<unknown> {
    return this.#exchange(operation, params, toRequest(this.#base, operation, params), signal);
  }

  async #exchange(
    operation: OperationName,
    params: object,
    { method, url, body }: RestRequest,
    signal: AbortSignal,
  ): Promise<unknown> {
    const headers = body === undefined ? this.#headers : { ...this.#headers, "Content-Type": "application/json" };
    const response = await fetch(url, {
      method,
      headers,
      signal,
      cache: "no-store",
      ...(body !== undefined && { body }),
    });
    return fromResponse(operation, params, await readJson(response));
  }
}

async function readJson(response: Response): Promise<Fields> {
  try {
    return (await response.json()) as Fields;
  } catch (error) {
    throw new ConnectionLost(`the answer was not JSON (HTTP status ${response.status})`, error);
  }
}
