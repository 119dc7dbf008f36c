/** A message of the model as the hub would tell it. */
import type { ModelMessage } from "./message.ts";

const iso = (ms: number | undefined) => (ms === undefined ? undefined : new Date(ms).toISOString());

/** @param keptUntil how long a lease that the hub keeps is told to last. */
export function view(m: ModelMessage, keptUntil: number): Record<string, unknown> {
  const { priority, thread_id, reply_to, parent_id, timeout_ms, max_attempts = 3, backoff_ms = 5_000 } = m.said;
  const isHeld = m.status === "in_progress";
  return present({
    id: m.id,
    from_claude: m.said.from_claude,
    to_claude: m.said.to_claude,
    task: m.said.task,
    context: m.said.context,
    type: m.isTask ? "task" : "chat",
    status: m.status,
    result: m.result,
    error: m.error,
    created_at: iso(m.created),
    updated_at: iso(m.updated),
    priority,
    thread_id,
    after: m.said.after,
    traceparent: `00-${traceOf(m)}-${m.id.slice(-16)}-01`,
    reply_to,
    parent_id,
    chain_id: m.chain?.id,
    hops: m.chain?.hops,
    expires_at: iso(m.said.expires_at),
    timeout_ms,
    max_attempts: max_attempts === 3 ? undefined : max_attempts,
    backoff_ms: backoff_ms === 5_000 ? undefined : backoff_ms,
    not_before: iso(m.notBefore),
    attempt: m.isTask ? m.attempt : undefined,
    tries_left: m.isTask ? m.triesLeft : undefined,
    claimed_by: m.status === "pending" ? undefined : (m.holder?.name ?? undefined),
    claimed_at: m.status === "pending" ? undefined : iso(m.claimed),
    lease_until: isHeld && m.isTask ? iso(m.lease ?? Math.max(keptUntil, m.extended ?? 0)) : undefined,
    lease: isHeld && m.isTask ? leaseOf(m) : undefined,
    progress: m.progress && { ...m.progress, at: iso(m.progress.at) },
    delivered_at: iso(m.delivered),
    seen_at: iso(m.seen),
    completed_at: iso(m.completed),
    failure: m.failure,
    seq: m.seq,
  });
}

export const receiptsOf = ({ receipts }: ModelMessage) =>
  [...receipts]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([recipient, { delivered, seen, acknowledged }]) =>
      present({
        recipient,
        delivered_at: iso(delivered),
        seen_at: iso(seen),
        acknowledged_at: iso(acknowledged),
      }),
    );

const traceOf = (m: ModelMessage): string => (m.origin ? traceOf(m.origin) : m.id);

const leaseOf = ({ holder, lease }: ModelMessage) =>
  (holder?.run ?? null) === null ? "detached" : lease === null ? "kept" : "expiring";

const present = (fields: Record<string, unknown>) =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
