/** The two faces of a hub, as one: any operation, said over REST or on a socket, right or wrong. */
import { expect } from "vitest";
import { ERRORS, type ErrorCode, type ErrorDetails } from "../../../../shared/errors.ts";
import { OPERATIONS, type Operation, type OperationName, type RestShape } from "../../../../shared/operations/index.ts";
import { http } from "../../../support/http.ts";
import type { TestHub } from "../../../support/hub.ts";
import { RawSocket, type RpcMessage } from "../../../support/rawSocket.ts";

interface Said {
  /** What came of it, where it was not refused. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers freely; the assertion is the check
  result?: any;
  code?: ErrorCode;
  message?: string;
  details?: ErrorDetails;
}

/** Who says it. */
interface Who {
  claude_id?: string;
  run?: string;
  about?: { roles: string[] };
}

export type Face = (operation: OperationName, params: Record<string, unknown>) => Promise<Said>;

export const FACES: Record<string, (hub: TestHub, who?: Who) => Promise<Face>> = {
  REST: async (hub, who = {}) => {
    const headers = {
      ...(who.claude_id !== undefined && { "x-claude-id": who.claude_id }),
      ...(who.run !== undefined && { "x-claude-run": who.run }),
      ...(who.about && { "x-claude-roles": who.about.roles.join(", ") }),
    };
    return async (operation, params) => {
      const { method, paths, shape }: Operation["rest"] = OPERATIONS[operation].rest;
      const { path, rest } = fill(paths[0], params);
      const asked =
        method === "GET"
          ? await http(`${hub.url}${path}?${new URLSearchParams(rest as Record<string, string>)}`, { headers })
          : await http(hub.url + path, { method, headers: { ...headers, ...framed(rest) }, body: rest });
      const { status, body } = asked;
      if (body.success) return { result: resultOf(shape, body) };
      const { success, error, code, details, ...more } = body;
      expect([success, status, more]).toEqual([false, ERRORS[code as ErrorCode].http, {}]);
      return { code, message: error, ...(details && { details }) };
    };
  },
  WebSocket: async (hub, who = {}) => {
    const socket = await RawSocket.greet(hub.wsUrl, who);
    let id = 0;
    return async (operation, params) => {
      const asked = `${operation} ${id++}`;
      socket.send({ jsonrpc: "2.0", id: asked, method: operation, params });
      const { result, error } = (await socket.answer(asked)) as RpcMessage;
      if (!error) return { result };
      const { code, details } = error.data as { code: ErrorCode; details?: ErrorDetails };
      expect(error.code).toBe(ERRORS[code].rpc);
      return { code, message: error.message, ...(details && { details }) };
    };
  },
};

function resultOf(shape: RestShape, { data, ...more }: { data: unknown }) {
  if (shape === "data" || shape === "page") return data;
  return shape === "sent" ? { message: data, ...more } : { data, ...more };
}

/** Says how long a body is: Node's client does not where it expects none, as with DELETE. */
const framed = (body: unknown) => ({ "content-length": `${Buffer.byteLength(JSON.stringify(body))}` });

/** Puts parameters into a path; what is left goes elsewhere. */
function fill(pattern: string, params: Record<string, unknown>) {
  const rest = { ...params };
  const path = pattern.replace(/:(\w+)/g, (_, name: string) => {
    const value = encodeURIComponent(String(rest[name]));
    delete rest[name];
    return value;
  });
  return { path, rest };
}
