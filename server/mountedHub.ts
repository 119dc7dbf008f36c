/** A hub with its transports: to be mounted into an Express app, or to listen by itself. */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import express, { type Router } from "express";
import { LIVENESS } from "../shared/defaults.ts";
import { BASE_PATH } from "../shared/protocol.ts";
import type { Hub } from "./hub/hub.ts";
import type { Report } from "./report.ts";
import { serializeRequests } from "./transport/http/serializeRequests.ts";
import type { SocketServer } from "./transport/socket/server.ts";

export interface MountedHub {
  /** REST, relative to the base path: `app.use("/api/coord", hub.router)`. */
  readonly router: Router;
  /** `/healthz`, `/readyz`, `/metrics`. */
  readonly probes: Router;
  /**
   * Takes the socket's upgrades of a server, and closes the hub when that server closes.
   *
   * @throws Error when another hub takes those at this hub's `socketPath`, or this one is closed.
   * @example hub.attach(app.listen(3000))
   */
  attach(server: Server): void;
  /**
   * Serves alone: REST, the socket and the probes.
   *
   * @param where port 0: any free one.
   * @returns where it listens: the address, also where a name was given.
   * @throws Error when the port is in use, or the hub is closed.
   * @example const { port } = await hub.listen({ host: "127.0.0.1", port: 0 });
   */
  listen(where: { host: string; port: number }): Promise<{ host: string; port: number }>;
  /**
   * Writes a verified copy of the database while everything goes on. It holds all that was acknowledged before the call.
   *
   * @param file must not exist yet.
   * @throws HubError `invalid_params` when it does, or cannot be made; Error when the copy fails, which leaves no file behind.
   * @example await hub.backup("/backups/today.db");
   */
  backup(file: string): Promise<void>;
  /** Takes no more work, sends every client away to come back, settles what was taken, closes. Idempotent. */
  close(): Promise<void>;
}

interface Faces extends Pick<MountedHub, "router" | "probes"> {
  report: Report;
}

export class ComposedHub implements MountedHub {
  readonly router: Router;
  readonly probes: Router;
  readonly #hub: Hub;
  readonly #sockets: SocketServer;
  readonly #report: Report;
  #detach: (() => void)[] = [];
  #own: Server | undefined;
  #closed: Promise<void> | undefined;

  constructor(hub: Hub, sockets: SocketServer, { router, probes, report }: Faces) {
    this.#hub = hub;
    this.#sockets = sockets;
    this.router = router;
    this.probes = probes;
    this.#report = report;
  }

  attach(server: Server): void {
    this.#assertOpen();
    this.#detach.push(this.#sockets.attach(server));
    // A server's `close` waits for upgraded sockets, which Node does not end: they must go when closing begins.
    const close = server.close.bind(server);
    server.close = (callback) => {
      this.close().catch((error) => this.#report.failed("closing", error));
      return close(callback);
    };
  }

  async listen({ host, port }: { host: string; port: number }) {
    this.#assertOpen();
    const app = express().disable("x-powered-by").use(serializeRequests, this.probes).use(BASE_PATH, this.router);
    const server = createServer(app);
    await new Promise<void>((resolve, reject) => {
      server.once("error", (error: NodeJS.ErrnoException) => reject(listenError(error, host, port)));
      server.listen(port, host, resolve);
    });
    if (this.#closed !== undefined) server.close();
    this.#assertOpen();
    this.#own = server;
    this.#detach.push(this.#sockets.attach(server));
    const bound = server.address() as AddressInfo;
    return { host: bound.address, port: bound.port };
  }

  backup(file: string): Promise<void> {
    return this.#hub.store.backup(file);
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  #assertOpen(): void {
    if (this.#closed !== undefined) throw new Error("this hub is closed: make another one with createHub");
  }

  async #close(): Promise<void> {
    for (const detach of this.#detach) detach();
    const server = this.#own;
    const ended = server && new Promise<void>((resolve) => server.close(() => resolve()));
    server?.closeIdleConnections();
    await this.#hub.close();
    await this.#sockets.close(LIVENESS.reconnect_spread_ms);
    server?.closeAllConnections();
    await ended;
  }
}

function listenError(error: NodeJS.ErrnoException, host: string, port: number): Error {
  if (error.code === "EADDRINUSE") {
    return new Error(`port ${port} on ${host} is in use: stop what is using it, or choose another with --port`);
  }
  return new Error(`cannot listen on ${host}:${port}: ${error.message}`);
}
