/** Default values. Most can be configured, or set per message. */

/** For the life of a task; a sender may set each per message. */
export const TASK_DEFAULTS = { max_attempts: 3, backoff_ms: 5_000 } as const;

/** The longest rest of a task between two tries, ms. */
export const BACKOFF_MAX_MS = 10 * 60_000;

/** How many entries a list has unless the caller says. */
export const LIST_DEFAULT = 100;

/** Where the hub listens. */
export const DEFAULT_PORT = 3000;

/** The hub's file, relative to where it is started. */
export const DEFAULT_DB = "data/coordination.db";

/** When a connection counts as dead, and when an instance as gone, ms. */
export const LIVENESS = {
  ping_ms: 25_000,
  pong_ms: 10_000,
  hello_ms: 10_000,
  leave_ms: 15_000,
  fresh_min_ms: 75_000,
  /** Upper bound on the heartbeat interval that freshness is computed from. */
  longest_interval_ms: 24 * 3600 * 1000,
  stale_ms: 5 * 60_000,
  reconnect_spread_ms: 5_000,
  /** An instance that has been offline for less is expected back: it is a recipient of chats to everyone. */
  lately_ms: 7 * 24 * 3600 * 1000,
  /** An instance that has been offline for longer is forgotten. */
  forget_ms: 30 * 24 * 3600 * 1000,
} as const;

/** How long a task stays with a holder that is gone, ms. */
export const LEASES = {
  /** After the last connection of the run that claimed it. */
  grace_ms: 30_000,
  /** After the last sign of life of a name that claimed it without a run. */
  detached_ms: 30 * 60_000,
} as const;
