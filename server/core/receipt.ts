/**
 * A receipt: how far a chat to everyone has come with one recipient. It is kept apart from the message, so that what
 * one recipient does changes nothing for the others.
 */
import { EVERYONE } from "../../shared/addressing.ts";
import type { Status } from "../../shared/message.ts";
import { type Command, isForTasks } from "./commands.ts";
import { type Caller, isOver, type MessageState } from "./message.ts";

export interface Receipt {
  readonly recipient: string;
  readonly delivered_at: number | null;
  readonly seen_at: number | null;
  readonly acknowledged_at: number | null;
  /** The outcome it acknowledged with, condensed. */
  readonly said: string | null;
  /** Whether the recipient joined after the chat was sent; such a receipt does not hold the chat open. */
  readonly isLate: boolean;
}

/** The steps of a receipt; each is also the kind of the event that tells of it. */
export type Mark = "delivered" | "seen" | "acknowledged";

const MARKS: Partial<Record<Command["op"], Mark>> = {
  claim: "seen",
  seen: "seen",
  complete: "acknowledged",
  fail: "acknowledged",
  release: "delivered", // whoever gives it back has had it
};

/** How a command marks a receipt; undefined: it is for the message itself, as from its sender or a nameless caller. */
export function markOf(state: MessageState, command: Command, { claude_id }: Caller): Mark | undefined {
  if (state.to_claude !== EVERYONE || claude_id === null || claude_id === state.from_claude) return undefined;
  return isForTasks(command) ? undefined : MARKS[command.op];
}

export const newReceipt = (recipient: string, isLate = false): Receipt => ({
  recipient,
  delivered_at: null,
  seen_at: null,
  acknowledged_at: null,
  said: null,
  isLate,
});

export const isMarked = (receipt: Receipt, mark: Mark): boolean => receipt[`${mark}_at`] !== null;

/**
 * The receipt with a mark: what was acknowledged was seen, and what was seen was delivered.
 *
 * @param said the outcome it acknowledges with, condensed.
 */
export const marked = (receipt: Receipt, mark: Mark, now: number, said: string | null): Receipt => ({
  ...receipt,
  said: receipt.said ?? said,
  delivered_at: receipt.delivered_at ?? now,
  seen_at: mark === "delivered" ? receipt.seen_at : (receipt.seen_at ?? now),
  acknowledged_at: mark === "acknowledged" ? (receipt.acknowledged_at ?? now) : receipt.acknowledged_at,
});

/** The message's status for the recipient: waiting for it, being read by it, or complete. */
export function standingStatus(status: Status, { seen_at, acknowledged_at }: Receipt): Status {
  if (acknowledged_at !== null) return "complete";
  if (isOver({ status })) return status;
  return seen_at === null ? "pending" : "in_progress";
}

/** The message as it stands for the recipient. */
export function standing(state: MessageState, receipt: Receipt): MessageState {
  const { recipient, delivered_at, seen_at, acknowledged_at } = receipt;
  const status = standingStatus(state.status, receipt);
  const stands = { ...state, status, delivered_at, seen_at };
  if (acknowledged_at !== null) return { ...stands, completed_at: acknowledged_at, failure: null };
  if (isOver(state)) return stands;
  return { ...stands, claimed_by: seen_at === null ? null : recipient, claimed_at: seen_at };
}
