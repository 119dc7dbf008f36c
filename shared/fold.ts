/**
 * The message after an event, from the message before it. State read at a cursor and the events past it give
 * the state at any later cursor, except for what the hub moves silently: `lease_until`, `lease`, and the `not_before`
 * of a task that is backing off when the hub's clock is set.
 */
import { EVERYONE } from "./addressing.ts";
import type { Event } from "./event.ts";
import { extended } from "./extended.ts";
import type { Message } from "./message.ts";

/** Fields that a message has only while it is held or after it has ended. */
const OF_AN_ATTEMPT = [
  "claimed_by",
  "claimed_at",
  "lease_until",
  "lease",
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
export function fold(before: Message | undefined, event: Event): Message | undefined {
  const { kind, at, seq, message } = event;
  if (kind === "deleted") return undefined;
  const told = { updated_at: at, seq };
  if (kind === "new") return extended(message, told) as Message;
  if (!before) return undefined;
  if (isReceipt(kind, message.to_claude)) return before;
  if (kind === "late") return extended(before, told);
  const after = Object.assign(extended(before, message), told) as Message;
  if (message.status === "pending") dropFields(after, OF_AN_ATTEMPT);
  ON[kind]?.(after, before, event);
  return after;
}

/** Whether an event tells what one recipient of a chat to everyone did, which leaves the chat itself as it is. */
export const isReceipt = (kind: Event["kind"], to: string) =>
  to === EVERYONE && (kind === "delivered" || kind === "seen" || kind === "acknowledged");

type Step = (after: Message, before: Message, event: Event) => void;

const end: Step = (after, _before, { at, message }) => {
  after.completed_at = at;
  dropFields(after, OF_A_LEASE);
  dropUnsaid(after, message);
};

/** The result and error of an end replace those that came with the claim, also where it has none. */
function dropUnsaid(after: Message, { result, error }: Event["message"]): void {
  if (result === undefined && after.result !== undefined) delete after.result;
  if (error === undefined && after.error !== undefined) delete after.error;
}

/** What follows from the kind and time of an event, without being in it. */
const ON: Partial<Record<Event["kind"], Step>> = {
  claimed: (after, before, { at }) => {
    Object.assign(after, { claimed_at: at, delivered_at: before.delivered_at ?? at });
    dropFields(after, ["progress"]);
  },
  delivered: (after, _before, { at }) => {
    after.delivered_at ??= at;
  },
  seen: (after, _before, { at }) => {
    after.seen_at = at;
    after.delivered_at ??= at;
  },
  requeued: (after, before, { at }) => {
    if (before.status === "failed" && before.expires_at !== undefined && before.expires_at <= at) {
      dropFields(after, ["expires_at"]);
    }
  },
  completed: end,
  failed: end,
  cancelled: end,
};

const OF_A_LEASE = ["lease_until", "lease"] as const;

/** Deletes only fields that are set: an object from which a property was deleted stays slow. */
function dropFields(message: Message, fields: readonly (keyof Message)[]): void {
  for (const field of fields) if (message[field] !== undefined) delete message[field];
}
