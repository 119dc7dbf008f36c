/** JSON-RPC as the tests of the socket say it and expect it. */
import { expect } from "vitest";
import { ERRORS, type ErrorCode } from "../../../../shared/errors.ts";
import type { RawSocket, RpcMessage } from "../../../support/rawSocket.ts";

export const CLIENT = { name: "test", version: "0" };
export const CHAT = { from_claude: "ada", to_claude: "bob", task: "hello", type: "chat" } as const;

/** A request, or without an id a notification. */
export const rpc = (method: string, params?: unknown, id?: unknown) => ({
  jsonrpc: "2.0",
  method,
  ...(params !== undefined && { params }),
  ...(id !== undefined && { id }),
});

/** An error answer as it travels. */
export const refusal = (id: unknown, code: ErrorCode, message: unknown = expect.any(String)) => ({
  jsonrpc: "2.0",
  id,
  error: { code: ERRORS[code].rpc, message, data: expect.objectContaining({ code }) },
});

/** The answers that came, in their order, once there are so many; that of `hello` is one of them. */
export function answers(socket: RawSocket, count: number): Promise<RpcMessage[]> {
  const found = () => socket.received.filter(({ method }) => method === undefined);
  return socket.until(`${count} answers`, () => found().length >= count && found());
}
