/** What a decision yields: the new state of the message, and the events that tell of it. */
import type { EventKind } from "../../shared/event.ts";
import type { MessageState } from "./message.ts";

/** An event to be logged about the message in its new state. */
export interface EventDraft {
  readonly kind: EventKind;
  /** Who did it; null when the hub did. */
  readonly actor: string | null;
  /** Why, where the new state alone does not say. */
  readonly error?: string;
  /** Of a `late` event: what was refused, and of which attempt. */
  readonly late?: { readonly attempt: number; readonly result: string | null; readonly error: string | null };
}

export interface Decision {
  /** Null: the message is gone. Identical to the old state: nothing changed. */
  readonly next: MessageState | null;
  readonly events: readonly EventDraft[];
}

/** Nothing happened. */
export const unchanged = (state: MessageState): Decision => ({ next: state, events: [] });

/** The state changed, and no event tells of it: leases and wake-ups move in silence. */
export const silently = (next: MessageState): Decision => ({ next, events: [] });
