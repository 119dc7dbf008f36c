/**
 * A receipt: how far a chat to everyone has come with one of those it is for. It stands beside the message, so that
 * what one of them does moves nothing for the others.
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
  /** What it acknowledged with, condensed. */
  readonly said: string | null;
  /** Whether the recipient joined after the chat was sent; such a receipt does not hold the chat open. */
  readonly isLate: boolean;
}

/** How far it comes by what its recipient does; each event is named after it. */
export type Mark = "delivered" | "seen" | "acknowledged";

const MARKS: Partial<Record<Command["op"], Mark>> = {
  claim: "seen",
  seen: "seen",
  complete: "acknowledged",
  fail: "acknowledged",
  release: "delivered", // what is given back was had
};

/** What a command is to a receipt; undefined: it is about the message itself, as all are of its sender or of nobody. */
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
 * What was acknowledged was seen, and what was seen was delivered.
 *
 * @param said what it acknowledges with, condensed.
 */
export const marked = (receipt: Receipt, mark: Mark, now: number, said: string | null): Receipt => ({
  ...receipt,
  said: receipt.said ?? said,
  delivered_at: receipt.delivered_at ?? now,
  seen_at: mark === "delivered" ? receipt.seen_at : (receipt.seen_at ?? now),
  acknowledged_at: mark === "acknowledged" ? (receipt.acknowledged_at ?? now) : receipt.acknowledged_at,
});

/** What a recipient's receipt makes of the message's status: waiting for it, being read by it, or complete. */
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
