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

interface Pipeline {
  length: number;
  /** When its last request is answered. */
  answered: Promise<void>;
}

const pipelines = new WeakMap<Socket, Pipeline>();
/** Requests that have been given their place: an application and a router in it may both ask. */
const placed = new WeakSet<IncomingMessage>();

export const serializeRequests: RequestHandler = (request, response, next) => {
  const { socket, httpVersionMajor } = request;
  // With HTTP/2 requests share a connection, and flow control is its own.
  if (httpVersionMajor > 1 || placed.has(request)) return next();
  placed.add(request);
  const pipeline = pipelines.get(socket) ?? { length: 0, answered: Promise.resolve() };
  pipelines.set(socket, pipeline);
  pipeline.length++;
  if (pipeline.length > MAX_PIPELINED) return void socket.destroy();
  if (pipeline.length === 1) next();
  else void pipeline.answered.then(() => socket.destroyed || next());
  pipeline.answered = new Promise((resolve) => {
    response.once("close", () => {
      pipeline.length--;
      resolve();
    });
  });
};
