/**
 * Requests that come on one connection before the first is answered are performed one after the other, each when the
 * answer before it has left, and not at all once the connection is gone: a few bytes can ask for megabytes, and a client
 * may never read them (I9).
 */
import type { Socket } from "node:net";
import type { RequestHandler } from "express";

/** With more than this in line the connection is given up: no client works like that. */
const IN_LINE = 64;

interface Line {
  length: number;
  /** When the last of the line is answered. */
  answered: Promise<void>;
}

export function inTurn(): RequestHandler {
  const lines = new WeakMap<Socket, Line>();
  return ({ socket, httpVersionMajor }, response, next) => {
    if (httpVersionMajor > 1) return next(); // its requests share a connection, and flow control is its own
    const line = lines.get(socket) ?? { length: 0, answered: Promise.resolve() };
    lines.set(socket, line);
    line.length++;
    if (line.length > IN_LINE) return void socket.destroy();
    if (line.length === 1) next();
    else void line.answered.then(() => socket.destroyed || next());
    line.answered = new Promise((resolve) => {
      response.once("close", () => {
        line.length--;
        resolve();
      });
    });
  };
}
