import { type IncomingMessage, request } from "node:http";
import { text } from "node:stream/consumers";

interface HttpRequest {
  method?: string;
  /** Any header, also those that `fetch` forbids: Host, Origin, Connection. */
  headers?: Record<string, string>;
  /** Sent as it is when a string or bytes, otherwise as JSON with its content type. */
  body?: unknown;
}

export interface HttpResponse {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  /** Parsed where the answer is JSON, otherwise its text. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers freely; the assertion is the check
  body: any;
}

/**
 * One HTTP request on a connection of its own, so that nothing stays open after it.
 *
 * @example const { status, body } = await http(`${hub.url}/message`, { method: "POST", body: { task: "…" } });
 */
export async function http(
  url: string,
  { method = "GET", headers = {}, body }: HttpRequest = {},
): Promise<HttpResponse> {
  const asIs = body === undefined || typeof body === "string" || body instanceof Uint8Array;
  const payload = asIs ? body : JSON.stringify(body);
  const type = asIs ? {} : { "content-type": "application/json" };
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    request(url, { method, agent: false, headers: { ...type, ...headers } }, resolve)
      .on("error", reject)
      .end(payload);
  });
  const answer = await text(response);
  const json = response.headers["content-type"]?.includes("json") && answer !== "";
  return { status: response.statusCode ?? 0, headers: response.headers, body: json ? JSON.parse(answer) : answer };
}
