import { once } from "node:events";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import { text } from "node:stream/consumers";
import type { Exchange } from "./rest.ts";

/**
 * Carries a request on a connection of its own. A kept one may have died unnoticed when a program comes back to it
 * after minutes of work, and none may stay open when time is up: `fetch` leaves some.
 */
export const overOwnConnection: Exchange = async ({ method, url, headers, body }, signal) => {
  signal.throwIfAborted();
  const send = url.startsWith("https:") ? httpsRequest : httpRequest;
  const request = send(url, { method, headers, agent: false, signal });
  request.end(body);
  const [response] = (await once(request, "response")) as [IncomingMessage];
  return { status: response.statusCode, text: () => text(response) };
};
