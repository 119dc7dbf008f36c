/** State = fold(events): what the tests hold against the lists of a store. */
import type { Event } from "../../../shared/event.ts";
import { fold } from "../../../shared/fold.ts";
import type { Message, Status } from "../../../shared/message.ts";

/** A list, and what happened after it, folded into it. `lease_until`, which the hub moves silently, is left out. */
export function folded(list: readonly Message[], events: readonly Event[]): Message[] {
  const state = new Map(list.map((message) => [message.id, message]));
  for (const event of events) {
    const { id } = event.message;
    const now = fold(state.get(id), event);
    if (now) state.set(id, now);
    else state.delete(id);
  }
  return comparable([...state.values()]);
}

/** Messages without what the hub moves silently. */
export const comparable = (messages: readonly Message[]) =>
  messages.map(({ lease_until: _moved, lease: _kept, ...message }): Message => message);

/** How many of each status there are, found by counting. */
export function countsOf(messages: readonly Message[]): Record<Status, number> {
  const counts = { pending: 0, in_progress: 0, complete: 0, failed: 0 };
  for (const { status } of messages) counts[status]++;
  return counts;
}

/** What an instance has to do, found by looking at every message. */
export function workloadOf(messages: readonly Message[], claude_id: string) {
  const waiting = messages.filter((message) => message.status === "pending" && message.to_claude === claude_id);
  const held = messages.filter(
    ({ status, type, claimed_by }) => status === "in_progress" && type === "task" && claimed_by === claude_id,
  );
  return { claude_id, in_progress: held.length, waiting: waiting.length, oldest: waiting[0]?.created_at ?? null };
}
