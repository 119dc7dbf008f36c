/**
 * The composition root: the only file that knows every part. Builds a hub that can be mounted into an Express
 * app, or listens by itself.
 */
import { createServer, type Server } from "node:http";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import express, { type Router } from "express";
import { pino } from "pino";
import { BACKOFF_MAX_MS, DEFAULT_DB, LEASES, LIVENESS } from "../shared/defaults.ts";
import { assertLimitsAgree, type Bounds, LIMITS } from "../shared/limits.ts";
import { BASE_PATH, SOCKET_PATH } from "../shared/protocol.ts";
import { systemClock } from "./clock.ts";
import type { LeasePolicy } from "./core/message.ts";
import { DEFAULT_RATES } from "./hub/caller/rates.ts";
import { Hub, type Liveness } from "./hub/hub.ts";
import { assertOptions, type CreateHubOptions } from "./hubOptions.ts";
import { makeMetrics } from "./metrics.ts";
import { SqliteStore } from "./store/sqlite/sqliteStore.ts";
import { Guard } from "./transport/guard.ts";
import { makeProbes } from "./transport/http/probes.ts";
import { makeRouter } from "./transport/http/router.ts";
import { SocketServer } from "./transport/socket/server.ts";

export interface MountedHub {
  /** REST, relative to the base path: `app.use("/api/coord", hub.router)`. */
  readonly router: Router;
  /** `/healthz`, `/readyz`, `/metrics`. */
  readonly probes: Router;
  /**
   * Takes the socket's upgrades of a server, and closes the hub when that server closes.
   *
   * @example hub.attach(app.listen(3000))
   */
  attach(server: Server): void;
  /**
   * Serves alone: REST, the socket and the probes.
   *
   * @param where port 0: any free one.
   * @returns where it listens.
   * @throws Error when the port is in use.
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

const DEFAULT_LIVENESS: Liveness = { pingMs: LIVENESS.ping_ms, leaveMs: LIVENESS.leave_ms };

const DEFAULT_LEASE: LeasePolicy = {
  graceMs: LEASES.grace_ms,
  detachedMs: LEASES.detached_ms,
  backoffMaxMs: BACKOFF_MAX_MS,
};

const DEFAULT_BOUNDS: Bounds = {
  pending_per_recipient: LIMITS.pending_per_recipient,
  pending_per_sender: LIMITS.pending_per_sender,
  chain_hops: LIMITS.chain_hops,
};

/** How long clients have to say goodbye before their sockets are ended. */
const FAREWELL_MS = 1_000;

const version = (createRequire(import.meta.url)("coordination-hub/package.json") as { version: string }).version;

/**
 * Builds a hub and opens its database.
 *
 * @throws TypeError for an option that there is not; Error with a sentence for a person when the database cannot be used.
 * @example
 * const hub = await createHub({ db: "data/app.db" });
 * app.use("/api/coord", hub.router);
 * hub.attach(app.listen(3000));
 */
export async function createHub(options: CreateHubOptions = {}): Promise<MountedHub> {
  assertLimitsAgree();
  assertOptions(options);
  const { clock = systemClock, logger = pino({ level: "warn" }), socketPath = SOCKET_PATH } = options;
  const lease = { ...DEFAULT_LEASE, ...options.lease };
  const liveness = { ...DEFAULT_LIVENESS, ...options.liveness };
  const bounds = { ...DEFAULT_BOUNDS, ...options.bounds };
  const rates = { ...DEFAULT_RATES, ...options.rates };
  const failed = (what: string, error: unknown) => logger.error({ err: error }, `failed: ${what}`);
  const file = options.db ?? DEFAULT_DB;
  const store = options.store ?? new SqliteStore({ file, lease, bounds, failed });
  const retention = options.retention ?? {};
  const hub = await Hub.start({ store, clock, lease, liveness, bounds, rates, retention, version, failed });
  const guard = new Guard({ open: options.open ?? false, allowHosts: options.allowHosts ?? [] });
  const sockets = new SocketServer({ hub, guard, path: socketPath, failed });
  const router = makeRouter({ hub, guard, failed });
  const probes = makeProbes({ hub, guard, failed }, makeMetrics(hub, sockets));
  return new ComposedHub(hub, sockets, { router, probes, failed });
}

interface Faces extends Pick<MountedHub, "router" | "probes"> {
  failed: (what: string, error: unknown) => void;
}

class ComposedHub implements MountedHub {
  readonly router: Router;
  readonly probes: Router;
  readonly #hub: Hub;
  readonly #sockets: SocketServer;
  readonly #failed: (what: string, error: unknown) => void;
  #detach: (() => void)[] = [];
  #own: Server | undefined;
  #closed: Promise<void> | undefined;

  constructor(hub: Hub, sockets: SocketServer, { router, probes, failed }: Faces) {
    this.#hub = hub;
    this.#sockets = sockets;
    this.router = router;
    this.probes = probes;
    this.#failed = failed;
  }

  attach(server: Server): void {
    this.#detach.push(this.#sockets.attach(server));
    // Node waits with `close` for upgraded sockets, which it does not end: they must go when closing begins.
    const close = server.close.bind(server);
    server.close = (callback) => {
      this.close().catch((error) => this.#failed("closing", error));
      return close(callback);
    };
  }

  async listen({ host, port }: { host: string; port: number }) {
    const app = express().disable("x-powered-by").use(this.probes).use(BASE_PATH, this.router);
    const server = createServer(app);
    await new Promise<void>((resolve, reject) => {
      server.once("error", (error: NodeJS.ErrnoException) => reject(listenError(error, host, port)));
      server.listen(port, host, resolve);
    });
    this.#own = server;
    this.#detach.push(this.#sockets.attach(server));
    return { host, port: (server.address() as AddressInfo).port };
  }

  backup(file: string): Promise<void> {
    return this.#hub.store.backup(file);
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    for (const detach of this.#detach) detach();
    const server = this.#own;
    const ended = server && new Promise<void>((resolve) => server.close(() => resolve()));
    server?.closeIdleConnections();
    await this.#hub.close();
    this.#sockets.close(LIVENESS.reconnect_spread_ms);
    await this.#farewell();
    this.#sockets.terminate();
    server?.closeAllConnections();
    await ended;
  }

  /** Until the last client has gone, or has had its time. */
  async #farewell(): Promise<void> {
    const end = performance.now() + FAREWELL_MS;
    while (this.#sockets.connections > 0 && performance.now() < end)
      await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

function listenError(error: NodeJS.ErrnoException, host: string, port: number): Error {
  if (error.code === "EADDRINUSE") {
    return new Error(`port ${port} on ${host} is in use: stop what is using it, or choose another with --port`);
  }
  return new Error(`cannot listen on ${host}:${port}: ${error.message}`);
}
