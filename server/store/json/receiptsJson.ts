/** The receipts of a message as JSON. */

import { EVERYONE } from "../../../shared/addressing.ts";
import type { MessageState } from "../../core/message.ts";
import type { Receipt } from "../../core/receipt.ts";
import { iso } from "../../iso.ts";

/** A message that is not for everyone has exactly one receipt, made of its own fields. */
export function receiptsJson(state: MessageState, receipts: readonly Receipt[]): string {
  return JSON.stringify((state.to_claude === EVERYONE ? receipts : [ownReceipt(state)]).map(told));
}

type Told = Omit<Receipt, "said" | "isLate">;

const ownReceipt = ({ to_claude, type, status, delivered_at, seen_at, completed_at }: MessageState): Told => ({
  recipient: to_claude,
  delivered_at,
  seen_at,
  acknowledged_at: type === "chat" && status === "complete" ? completed_at : null,
});

const told = ({ recipient, delivered_at, seen_at, acknowledged_at }: Told) => ({
  recipient,
  ...(delivered_at !== null && { delivered_at: iso(delivered_at) }),
  ...(seen_at !== null && { seen_at: iso(seen_at) }),
  ...(acknowledged_at !== null && { acknowledged_at: iso(acknowledged_at) }),
});
