/** What the configuration says to `createHub`. */
import type { Config } from "./config.ts";
import type { CreateHubOptions } from "./hubOptions.ts";

export const optionsFrom = (config: Config) =>
  ({
    db: config.db,
    open: config.open,
    allowHosts: config.allowHost,
    lease: {
      graceMs: config.leaseGraceMs,
      detachedMs: config.detachedLeaseMs,
      backoffMs: config.backoffMs,
      backoffMaxMs: config.backoffMaxMs,
      maxAttempts: config.maxAttempts,
    },
    liveness: { pingMs: config.pingMs, leaveMs: config.offlineAfterMs },
    bounds: {
      pending_per_recipient: config.pendingPerRecipient,
      pending_per_sender: config.pendingPerSender,
      chain_hops: config.chainHops,
    },
    rates: { changes: config.rate, reads: config.readRate, limitsLocal: config.rateLocal },
    retention: {
      completeMs: config.keepComplete,
      failedMs: config.keepFailed,
      logMs: config.keepLog,
      maxBytes: config.maxSize,
    },
  }) satisfies CreateHubOptions;
