/** What the tests of the document's functions share. */
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { vi } from "vitest";
import { defer } from "../../support/defer.ts";
import { http } from "../../support/http.ts";

export const NOT_RUNNING = "Coordination API server not running";

/** Lets the functions talk to this hub under this name, or none, until the test ends. */
export function become(url: string, name = ""): void {
  vi.stubEnv("COORDINATION_API_URL", url);
  vi.stubEnv("CLAUDE_ID", name);
}

/** Sends a task by the document's route. @returns its id. */
export async function post(url: string, message: object): Promise<string> {
  const body = { from_claude: "windows_frontend", to_claude: "server_backend", ...message };
  return (await http(`${url}/message`, { method: "POST", body })).body.data.id;
}

/** Claims a message as another process would. */
export const claimElsewhere = (url: string, id: string, name: string) =>
  http(`${url}/message/${id}/claim`, { method: "POST", headers: { "X-Claude-Id": name }, body: {} });

export const read = async (url: string, id: string) => (await http(`${url}/message/${id}`)).body.data;

/** A web server that is no hub; closed when the test ends. @returns its address. */
export async function serve(answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<string> {
  const server: Server = createServer(answer);
  await once(server.listen(0, "127.0.0.1"), "listening");
  defer(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Stands before a hub and loses its first answer in the way that is given: the hub has done what was asked. */
export async function losingFirstAnswer(url: string, lose: (response: ServerResponse) => void): Promise<string> {
  const { origin } = new URL(url);
  const pass = async (request: IncomingMessage, response: ServerResponse, isFirst: boolean) => {
    const { method = "GET", headers } = request;
    const type = headers["content-type"];
    const body = await text(request);
    const sent = { method, ...(type !== undefined && { headers: { "content-type": type }, body }) };
    const answer = await http(origin + request.url, sent);
    if (isFirst) lose(response);
    else response.writeHead(answer.status, { "content-type": "application/json" }).end(JSON.stringify(answer.body));
  };
  let requests = 0;
  const place = await serve((request, response) => void pass(request, response, ++requests === 1));
  return url.replace(origin, place);
}
