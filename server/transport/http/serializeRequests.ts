/**
 * Pipelined requests, which come on one connection before the first is answered, are performed one after the other, each
 * when the answer before it has left, and not at all once the connection is gone: a few bytes can ask for megabytes, and a
 * client may never read them.
 */
import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import type { RequestHandler } from "express";

/** A connection with more than this in its pipeline is given up: no client works like that. */
const MAX_PIPELINED = 64;

/** How many requests of a connection are not answered yet. */
const pipelined = new WeakMap<Socket, number>();
/** Requests that are counted: an application and a router in it may both ask. */
const counted = new WeakSet<IncomingMessage>();

export const serializeRequests: RequestHandler = (request, response, next) => {
  const { socket, httpVersionMajor } = request;
  if (httpVersionMajor > 1) return next(); // requests share a connection, and flow control is its own
  if (!counted.has(request)) {
    counted.add(request);
    count(socket, 1);
    response.once("close", () => count(socket, -1));
  }
  if ((pipelined.get(socket) as number) > MAX_PIPELINED) return void socket.destroy();
  // Node gives a response the socket when all before it are answered, in whatever order they come here.
  if (response.socket !== null) next();
  else response.once("socket", () => next());
};

function count(socket: Socket, more: 1 | -1): void {
  pipelined.set(socket, (pipelined.get(socket) ?? 0) + more);
}
