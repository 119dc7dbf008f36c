/** Bytes as they are, where a well-behaved client would not let a test say what it wants to say. */
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { SOCKET_PATH } from "../../../shared/protocol.ts";
import { defer } from "../../support/defer.ts";

export interface RawAnswer {
  status: number;
  /** Parsed where it is JSON. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers freely; the assertion is the check
  body: any;
}

/** A plain connection to a port, destroyed when the test ends. */
export async function dial(port: number, host = "127.0.0.1"): Promise<Socket> {
  const socket = connect({ port, host, allowHalfOpen: true }).on("error", () => {});
  defer(() => socket.destroy());
  await once(socket, "connect");
  return socket;
}

/** Sends a request head of these lines, and what follows it. @returns the answer, once it is whole. */
export async function ask(port: number, lines: readonly string[], more: string | Buffer = "", host?: string) {
  const socket = await dial(port, host);
  socket.write(`${lines.join("\r\n")}\r\n\r\n`);
  socket.write(more);
  return answerOf(socket);
}

/** What comes over a connection: until its end, or until it has become a WebSocket. */
async function answerOf(socket: Socket): Promise<RawAnswer> {
  let text = "";
  try {
    for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
      text += chunk;
      if (text.startsWith("HTTP/1.1 101")) break;
    }
  } catch (error) {
    // On Node 24 the end of a connection is a reset when its server has not read all that came before it answered.
    if ((error as NodeJS.ErrnoException).code !== "ECONNRESET" || text === "") throw error;
  }
  socket.destroy();
  const [head = "", body = ""] = text.split("\r\n\r\n");
  const status = Number(/^HTTP\/1\.1 (\d+)/.exec(head)?.[1] ?? 0);
  return { status, body: /^content-type: application\/json/im.test(head) ? JSON.parse(body) : body };
}

/** The head of a plain request, which ends its connection. */
export const get = (path: string, ...headers: string[]) => [`GET ${path} HTTP/1.1`, "Connection: close", ...headers];

/** The head of a request to become a WebSocket. */
export const upgrade = (path = SOCKET_PATH, ...headers: string[]) => [
  `GET ${path} HTTP/1.1`,
  "Connection: Upgrade",
  "Upgrade: websocket",
  "Sec-WebSocket-Version: 13",
  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
  ...headers,
];
