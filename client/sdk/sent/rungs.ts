/** The rungs that a message reaches, and how events and receipts tell that it has come so far. */
import { type Event, type EventKind, fold, isReceipt, type Message, type Result } from "../../../shared/index.ts";
import { FINAL_KINDS, isFinal } from "./finals.ts";

/** What comes before the end. */
export const RUNGS = ["delivered", "seen", "claimed"] as const;
export type Rung = (typeof RUNGS)[number];

export const HAS_REACHED: Record<Rung | "end", (message: Message) => boolean> = {
  delivered: ({ delivered_at }) => delivered_at !== undefined,
  seen: ({ seen_at }) => seen_at !== undefined,
  claimed: ({ claimed_at }) => claimed_at !== undefined,
  end: ({ status }) => status === "complete",
};

/** What tells of rungs, or that there will be none. */
export const RUNG_KINDS: readonly EventKind[] = ["delivered", "seen", "acknowledged", "claimed", ...FINAL_KINDS];

/** Whether an event may bring a message to a rung. On the way to the end nothing else is looked at. */
export const mayReach = (rung: Rung | "end", event: Event) => rung !== "end" || isFinal(event);

/** Whether the message is what it will be, unless somebody asks for another try. */
export const hasEnded = ({ erased, status }: Message) => erased || status === "complete" || status === "failed";

/** The message after an event; of one to everyone, the first receipt counts for it, as a pool's first member does. */
export function advance(before: Message, event: Event): Message {
  const { kind, at, message } = event;
  const after = message.erased ? undefined : fold(before, event);
  if (!after) return { ...before, erased: true };
  if (!isReceipt(kind, message.to_claude)) return after;
  const isSeen = kind !== "delivered" || after.seen_at !== undefined;
  return { ...after, delivered_at: after.delivered_at ?? at, ...(isSeen && { seen_at: after.seen_at ?? at }) };
}

type Receipt = Result<"receipts">["receipts"][number];

/** A message to everyone with what the first of its receipts say. */
export function withFirst(message: Message, receipts: readonly Receipt[]): Message {
  const first = (field: "delivered_at" | "seen_at") => receipts.flatMap((receipt) => receipt[field] ?? []).sort()[0];
  const [delivered_at, seen_at] = [first("delivered_at"), first("seen_at")];
  return { ...(delivered_at && { delivered_at }), ...(seen_at && { seen_at }), ...message };
}
