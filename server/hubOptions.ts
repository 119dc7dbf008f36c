/** The options of a hub; any other is refused. */
import type { Logger } from "pino";
import {
  assertOptions,
  BOOLEAN,
  COUNT,
  having,
  NUMBER,
  type OptionRule,
  type OptionRules,
} from "../shared/knownOptions.ts";
import type { Bounds } from "../shared/limits.ts";
import type { Clock } from "./clock.ts";
import type { LeasePolicy } from "./core/message.ts";
import type { RetentionPolicy } from "./hub/background/pruner.ts";
import type { RatePolicy } from "./hub/caller/rates.ts";
import type { Liveness } from "./hub/hub.ts";
import type { Store } from "./store/store.ts";
import { isHostName } from "./transport/guard.ts";

export interface CreateHubOptions {
  /** The SQLite file; created when it does not exist. Default `data/coordination.db`. */
  db?: string;
  /** Whether callers from other machines are let in while there are no tokens. Default false. */
  open?: boolean;
  /** Host names, besides loopback ones, under which the hub may be addressed. */
  allowHosts?: readonly string[];
  /** Where the socket is taken. Default `/api/coord/ws`. */
  socketPath?: string;
  /** Durations of leases and retries, ms. Default: 30 s of grace, 30 min detached, rests of at most 10 min. */
  lease?: Partial<LeasePolicy>;
  /** How connections are watched, ms. Default: a ping every 25 s, offline 15 s after the last connection broke. */
  liveness?: Partial<Liveness>;
  /** How many messages may wait, and how many hops an exchange may take. Default: what `GET /api/coord` tells. */
  bounds?: Partial<Bounds>;
  /** How much one instance may ask for; by default only those on other machines are limited. */
  rates?: Partial<RatePolicy>;
  /** How much of finished messages and of the log is kept. Default: everything. */
  retention?: RetentionPolicy;
  /** Where failures and warnings go, as structured lines. Default: a pino logger of its own, from `warn` on, to stdout. */
  logger?: Logger;
  /** Time, for tests. Default: the system's. */
  clock?: Clock;
  /** A store other than SQLite; `db` is ignored then. */
  store?: Store;
}

/** The longest duration that a hub may be given, 100 years: a deadline so far away is still a date that can be written. */
export const LONGEST_MS = 100 * 365.25 * 24 * 3_600_000;

const DURATION: OptionRule = {
  what: "a number of milliseconds, from 0 up to 100 years",
  allows: (value) => NUMBER.allows(value) && (value as number) <= LONGEST_MS,
};

const RULES: OptionRules<CreateHubOptions> = {
  db: { what: "the path of a file", allows: (value) => typeof value === "string" && value !== "" },
  open: BOOLEAN,
  allowHosts: {
    what: "an array of host names without scheme and port",
    allows: (value) => Array.isArray(value) && value.every((host) => typeof host === "string" && isHostName(host)),
  },
  socketPath: {
    what: "a path that begins with /",
    allows: (value) => typeof value === "string" && value.startsWith("/"),
  },
  logger: having("error", "warn"),
  clock: having("now", "awake", "after"),
  store: having("open", "commit"),
  lease: {
    graceMs: DURATION,
    detachedMs: DURATION,
    backoffMaxMs: DURATION,
    backoffMs: DURATION,
    maxAttempts: COUNT,
  },
  liveness: { pingMs: DURATION, leaveMs: DURATION },
  bounds: { pending_per_recipient: NUMBER, pending_per_sender: NUMBER, chain_hops: NUMBER },
  rates: { changes: NUMBER, reads: NUMBER, windowMs: DURATION, limitsLocal: BOOLEAN },
  retention: { completeMs: DURATION, failedMs: DURATION, logMs: DURATION, maxBytes: NUMBER },
};

/** @throws TypeError for an unknown option or one of the wrong type; undefined counts as omitted. */
export function assertHubOptions(options: CreateHubOptions): void {
  assertOptions(options, RULES);
}
