/**
 * The core: `(message as it is, command, who, now) → new state and events, or an error`. No clock, no SQL,
 * no sockets.
 */

import { EVERYONE } from "../../shared/addressing.ts";
import { HubError } from "../../shared/errors.ts";
import { decideChat } from "./chat.ts";
import type { Command } from "./commands.ts";
import { type Decision, unchanged } from "./decision.ts";
import { actingName, isRecipient } from "./holder.ts";
import type { Circumstances, MessageState } from "./message.ts";
import { decideTask } from "./task.ts";

/**
 * Decides what one command makes of one message.
 *
 * @throws HubError when the command is refused; then nothing changes.
 * @example decide(message, { op: "claim" }, { caller, now, random: Math.random, lease })
 */
export function decide(state: MessageState, command: Command, c: Circumstances): Decision {
  if (command.op === "seen") return decideSeen(state, c);
  return state.type === "chat" ? decideChat(state, command, c) : decideTask(state, command, c);
}

/** Deletes a message, whatever its status. */
export const decideDelete = (actor: string | null): Decision => ({ next: null, events: [{ kind: "deleted", actor }] });

/** Marks a message delivered, unless that is known or implied already. */
export function decideDelivered(state: MessageState, actor: string, now: number): Decision {
  if (state.delivered_at !== null || state.status !== "pending") return unchanged(state);
  return { next: { ...state, delivered_at: now }, events: [{ kind: "delivered", actor }] };
}

/** Marks a message seen: its recipient's model has it in context. What was seen was delivered. */
function decideSeen(state: MessageState, { caller, now }: Circumstances): Decision {
  const actor = actingName(state, caller);
  if (!isRecipient(state, actor)) {
    const who = state.to_claude === EVERYONE ? "one of the others, by its name," : "its recipient";
    throw new HubError("not_recipient", `Message is for ${state.to_claude}: only ${who} can have seen it`, {
      id: state.id,
      to_claude: state.to_claude,
    });
  }
  if (state.seen_at !== null) return unchanged(state);
  return {
    next: { ...state, seen_at: now, delivered_at: state.delivered_at ?? now },
    events: [{ kind: "seen", actor }],
  };
}
