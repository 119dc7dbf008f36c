/** The composition root: the only file that knows every part. */
import { createRequire } from "node:module";
import { pino } from "pino";
import { BACKOFF_MAX_MS, DEFAULT_DB, LEASES, LIVENESS } from "../shared/defaults.ts";
import { assertLimitsAgree, type Bounds, LIMITS } from "../shared/limits.ts";
import { SOCKET_PATH } from "../shared/protocol.ts";
import { systemClock } from "./clock.ts";
import type { LeasePolicy } from "./core/message.ts";
import { DEFAULT_RATES } from "./hub/caller/rates.ts";
import { Hub, type Liveness } from "./hub/hub.ts";
import { assertHubOptions, type CreateHubOptions } from "./hubOptions.ts";
import { makeMetrics } from "./metrics.ts";
import { ComposedHub, type MountedHub } from "./mountedHub.ts";
import { reportTo } from "./report.ts";
import { SqliteStore } from "./store/sqlite/sqliteStore.ts";
import { Guard } from "./transport/guard.ts";
import { makeProbes } from "./transport/http/probes.ts";
import { makeRouter } from "./transport/http/router.ts";
import { SocketServer } from "./transport/socket/server.ts";

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

const version = (createRequire(import.meta.url)("coordination-hub/package.json") as { version: string }).version;

/**
 * Builds a hub and opens its database.
 *
 * @throws TypeError for an unknown option or one of the wrong type; undefined counts as omitted.
 * @throws Error with a sentence for a person when the database cannot be used.
 * @example
 * const hub = await createHub({ db: "data/app.db" });
 * app.use("/api/coord", hub.router);
 * hub.attach(app.listen(3000));
 */
export async function createHub(options: CreateHubOptions = {}): Promise<MountedHub> {
  assertLimitsAgree();
  assertHubOptions(options);
  const { clock = systemClock, logger = pino({ level: "warn" }), socketPath = SOCKET_PATH } = options;
  const lease = { ...DEFAULT_LEASE, ...options.lease };
  const liveness = { ...DEFAULT_LIVENESS, ...options.liveness };
  const bounds = { ...DEFAULT_BOUNDS, ...options.bounds };
  const rates = { ...DEFAULT_RATES, ...options.rates };
  const report = reportTo(logger);
  const file = options.db ?? DEFAULT_DB;
  const store = options.store ?? new SqliteStore({ file, lease, bounds, failed: report.failed });
  const retention = options.retention ?? {};
  const hub = await Hub.start({ store, clock, lease, liveness, bounds, rates, retention, version, report });
  const guard = new Guard({ open: options.open ?? false, allowHosts: options.allowHosts ?? [] });
  const sockets = new SocketServer({ hub, guard, path: socketPath, report });
  const router = makeRouter({ hub, guard, report });
  const probes = makeProbes({ hub, guard, report }, () => makeMetrics(hub, sockets));
  return new ComposedHub(hub, sockets, { router, probes, report });
}
