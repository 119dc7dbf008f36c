/**
 * The message after an event, from the message before it. State read at a cursor and the events past it give
 * the state at any later cursor; only `lease_until`, which the hub moves silently, is left behind.
 */
import type { Event } from "./event.ts";
import type { Message } from "./message.ts";

/** Fields that a message has only while it is held or after it has ended. */
const OF_AN_ATTEMPT = [
  "claimed_by",
  "claimed_at",
  "lease_until",
  "result",
  "error",
  "failure",
  "completed_at",
] as const;

/**
 * Applies one event.
 *
 * @param before undefined for a message that is not known yet.
 * @returns the message as it is now; undefined once it is deleted, or when `before` was missing for anything
 *   but a `new`.
 * @example state = fold(state, event)
 */
export function fold(before: Message | undefined, { kind, at, seq, message }: Event): Message | undefined {
  if (kind === "deleted") return undefined;
  if (kind === "new") return { ...message, updated_at: at, seq } as Message;
  if (!before) return undefined;
  const after = { ...before, ...message, updated_at: at, seq } as Message;
  if (message.status === "pending") dropFields(after, OF_AN_ATTEMPT);
  if (kind === "claimed") Object.assign(after, { claimed_at: at, delivered_at: before.delivered_at ?? at });
  if (kind === "delivered") after.delivered_at ??= at;
  if (kind === "completed" || kind === "failed") {
    after.completed_at = at;
    dropFields(after, OF_A_LEASE);
  }
  return after;
}

const OF_A_LEASE = ["lease_until"] as const;

/** Taking away only what is there: an object from which something was deleted is slow ever after. */
function dropFields(message: Message, fields: readonly (typeof OF_AN_ATTEMPT)[number][]): void {
  for (const field of fields) if (message[field] !== undefined) delete message[field];
}
