/** The contract's closed sets, kept free of zod so that importing them loads no validator. */
export const STATUSES = ["pending", "in_progress", "complete", "failed"] as const;
export const TYPES = ["chat", "task"] as const;
export const PRIORITIES = ["low", "normal", "high", "urgent"] as const;
export const FAILURES = ["error", "cancelled", "expired", "timeout", "attempts_exhausted", "dependency"] as const;
export const LEASE_STATES = ["kept", "detached", "expiring"] as const;

/** What can happen to a message. */
export const EVENT_KINDS = [
  "new",
  "claimed",
  "progress",
  "completed",
  "failed",
  "released",
  "requeued",
  "ready",
  "cancelled",
  "deleted",
  "late",
  "delivered",
  "seen",
  "acknowledged",
] as const;
