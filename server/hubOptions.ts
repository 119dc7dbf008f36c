/** What a hub can be told, and that it is told nothing else. */
import type { Logger } from "pino";
import { assertKnown } from "../shared/knownOptions.ts";
import type { Bounds } from "../shared/limits.ts";
import type { Clock } from "./clock.ts";
import type { LeasePolicy } from "./core/message.ts";
import type { RetentionPolicy } from "./hub/background/pruner.ts";
import type { RatePolicy } from "./hub/caller/rates.ts";
import type { Liveness } from "./hub/hub.ts";
import type { Store } from "./store/store.ts";

export interface CreateHubOptions {
  /** The SQLite file; made when it is not there. Default `data/coordination.db`. */
  db?: string;
  /** Whether callers from other machines are let in while there are no tokens. Default false. */
  open?: boolean;
  /** Host names, beside loopback ones, under which the hub may be addressed. */
  allowHosts?: readonly string[];
  /** Where the socket is taken. Default `/api/coord/ws`. */
  socketPath?: string;
  /** Durations of leases and retries, ms. Default: 30 s of grace, 30 min detached, rests of at most 10 min. */
  lease?: Partial<LeasePolicy>;
  /** How connections are watched, ms. Default: a ping every 25 s, offline 15 s after the last connection broke. */
  liveness?: Partial<Liveness>;
  /** How many messages may wait, and how many hops an exchange may come. Default: what `GET /api/coord` tells. */
  bounds?: Partial<Bounds>;
  /** How much one instance may ask for; by default only those on other machines are limited. */
  rates?: Partial<RatePolicy>;
  /** What of finished messages and of the log is not kept for ever. Default: everything is. */
  retention?: RetentionPolicy;
  /** Where failures and warnings go, as structured lines. Default: a pino logger of its own, from `warn` on, to stdout. */
  logger?: Logger;
  /** Time, for tests. Default: the system's. */
  clock?: Clock;
  /** Another store than SQLite; `db` is not looked at then. */
  store?: Store;
}

type Parts = "lease" | "liveness" | "bounds" | "rates" | "retention";

/** All of them; of those that have parts, the parts. */
const KNOWN: {
  [K in keyof Required<CreateHubOptions>]: K extends Parts ? Known<NonNullable<CreateHubOptions[K]>> : true;
} = {
  db: true,
  open: true,
  allowHosts: true,
  socketPath: true,
  lease: { graceMs: true, detachedMs: true, backoffMaxMs: true, backoffMs: true, maxAttempts: true },
  liveness: { pingMs: true, leaveMs: true },
  bounds: { pending_per_recipient: true, pending_per_sender: true, chain_hops: true },
  rates: { changes: true, reads: true, windowMs: true, limitsLocal: true },
  retention: { completeMs: true, failedMs: true, logMs: true, maxBytes: true },
  logger: true,
  clock: true,
  store: true,
};

type Known<T> = { [K in keyof Required<T>]: true };

/** @throws TypeError for an option that there is not. */
export function assertOptions(options: CreateHubOptions): void {
  assertKnown(options, KNOWN);
  for (const [part, known] of Object.entries(KNOWN)) {
    if (known !== true) assertKnown(options[part as Parts] ?? {}, known, part);
  }
}
