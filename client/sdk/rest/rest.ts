/** An operation as an HTTP request, and its result out of the response: both by the operations table. */
import { fromRestError, MAIN_PART, OPERATIONS, type OperationName, type RestShape } from "../../../shared/index.ts";
import { ConnectionLost } from "../errors.ts";
import { toPath } from "./restPath.ts";

interface RestRequest {
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
  list: ({ success: _, data, ...more }) => ({ [MAIN_PART.list]: data, ...more }),
  sent: ({ success: _, data, ...more }) => ({ [MAIN_PART.sent]: data, ...more }),
  deleted: (_, { id }) => ({ id, deleted: true }),
  beat: ({ timestamp, claude_id }) => ({ timestamp, claude_id }),
};

const WITHOUT_DATA: ReadonlySet<RestShape> = new Set(["deleted", "beat"]);

type Headers = Readonly<Record<string, string>>;

interface RestResponse {
  readonly status?: number | undefined;
  text(): Promise<string>;
}

/** Sends a request. @returns the response; rejects when there is none. */
export type Exchange = (request: RestRequest & { headers: Headers }, signal: AbortSignal) => Promise<RestResponse>;

const overFetch: Exchange = ({ url, ...request }, signal) => fetch(url, { ...request, signal, cache: "no-store" });

/** Carries operations out over HTTP. */
export class RestClient {
  readonly #base: string;
  readonly #headers: Headers;
  readonly #exchange: Exchange;

  constructor(base: string, headers: Headers, exchange = overFetch) {
    this.#base = base;
    this.#headers = headers;
    this.#exchange = exchange;
  }

  /**
   * @returns the result; rejects with a HubError that the hub gave, any other error means that no hub answered.
   * @throws at once what keeps the parameters from being written or sent.
   */
  call(operation: OperationName, params: object, signal: AbortSignal): Promise<unknown> {
    const request = toRequest(this.#base, operation, params);
    return this.#send(request, signal).then((body) => fromResponse(operation, params, body));
  }

  async #send(request: RestRequest, signal: AbortSignal): Promise<Fields> {
    const type = request.body === undefined ? undefined : { "Content-Type": "application/json" };
    return readJson(await this.#exchange({ ...request, headers: { ...this.#headers, ...type } }, signal));
  }
}

async function readJson(response: RestResponse): Promise<Fields> {
  try {
    return JSON.parse(await response.text());
  } catch (error) {
    throw new ConnectionLost(`the answer was not JSON (HTTP status ${response.status})`, error);
  }
}
