/**
 * The core: `(message as it is, command, who, now) → new state and events, or an error`. No clock, no SQL,
 * no sockets.
 */
import { decideChat } from "./chat.ts";
import type { Command } from "./commands.ts";
import type { Decision } from "./decision.ts";
import type { Circumstances, MessageState } from "./message.ts";
import { heldWakeAt } from "./readiness.ts";
import { decideTask } from "./task.ts";

/**
 * Decides what one command makes of one message.
 *
 * @throws HubError when the command is refused; then nothing changes.
 * @example decide(message, { op: "claim" }, { caller, now, random: Math.random, lease })
 */
export const decide = (state: MessageState, command: Command, c: Circumstances): Decision =>
  state.type === "chat" ? decideChat(state, command, c) : decideTask(state, command, c);

/** Deletes a message, whatever its status. */
export const decideDelete = (actor: string | null): Decision => ({ next: null, events: [{ kind: "deleted", actor }] });

/** Marks a message delivered, unless that is known or implied already. */
export function decideDelivered(state: MessageState, actor: string, now: number): Decision {
  if (state.delivered_at !== null || state.status !== "pending") return { next: state, events: [] };
  return { next: { ...state, delivered_at: now }, events: [{ kind: "delivered", actor }] };
}

/** Moves a held task's lease, silently: null while its run is connected. */
export function withLease(state: MessageState, leaseUntil: number | null): MessageState {
  const moved = { ...state, lease_until: leaseUntil };
  return { ...moved, wake_at: heldWakeAt(moved) };
}
