/** The environment variables that the hub and its clients read, and the suggestion for a mistyped one. */
import { nearest } from "./suggest.ts";

const PREFIX = "COORDINATION_";

const HUB_VARIABLES = [
  "COORDINATION_HOST",
  "COORDINATION_PORT",
  "COORDINATION_DB",
  "COORDINATION_OPEN",
  "COORDINATION_ALLOW_HOST",
  "COORDINATION_LEASE_GRACE_MS",
  "COORDINATION_DETACHED_LEASE_MS",
  "COORDINATION_MAX_ATTEMPTS",
  "COORDINATION_BACKOFF_MS",
  "COORDINATION_BACKOFF_MAX_MS",
  "COORDINATION_PING_MS",
  "COORDINATION_OFFLINE_AFTER_MS",
  "COORDINATION_RATE",
  "COORDINATION_READ_RATE",
  "COORDINATION_RATE_LOCAL",
  "COORDINATION_PENDING_PER_RECIPIENT",
  "COORDINATION_PENDING_PER_SENDER",
  "COORDINATION_CHAIN_HOPS",
  "COORDINATION_KEEP_COMPLETE",
  "COORDINATION_KEEP_FAILED",
  "COORDINATION_KEEP_LOG",
  "COORDINATION_MAX_SIZE",
  "COORDINATION_LOG_LEVEL",
] as const;

const CLIENT_VARIABLES = ["COORDINATION_API_URL", "COORDINATION_TOKEN", "COORDINATION_RUN"] as const;

/** What `coord work` passes to the command that does a task, and to the `coord` that it calls. */
export const TASK_VARIABLES = [
  "COORDINATION_TASK_ID",
  "COORDINATION_TASK_ATTEMPT",
  "COORDINATION_TASK_FROM",
  "COORDINATION_TASK_TO",
  "COORDINATION_TASK_PRIORITY",
  "COORDINATION_TASK_THREAD_ID",
  "COORDINATION_TASK_CONTEXT",
  "COORDINATION_TASK_CONTEXT_FILE",
] as const;

/**
 * Looks for variables with our prefix that nobody reads.
 *
 * @returns what to tell the person about the first of them; undefined when there is none.
 * @example unknownVariable(process.env)
 */
export function unknownVariable(env: Readonly<Record<string, string | undefined>>): string | undefined {
  const known: readonly string[] = [...HUB_VARIABLES, ...CLIENT_VARIABLES];
  const ours: readonly string[] = [...known, ...TASK_VARIABLES];
  const unknown = Object.keys(env).find((name) => name.startsWith(PREFIX) && !ours.includes(name));
  if (unknown === undefined) return undefined;
  const near = nearest(unknown, known);
  return `unknown variable ${unknown}${near ? `: did you mean ${near}?` : `; known are ${known.join(", ")}`}`;
}
