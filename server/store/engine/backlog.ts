/**
 * How many messages wait to be taken, by whom they are for and who sent them, so that nobody piles up more than the
 * hub's bounds.
 *
 * A pending task waits; a pending chat waits until its recipient's client has it, because nobody has to acknowledge a
 * chat that was read. A chat to everyone waits until all who had a receipt from the beginning have it; it counts for
 * its sender only, because it waits for nobody in particular.
 *
 * Counting looks at everything pending, so it is put off until there is enough for a bound to be reached at all: most
 * hubs never get there.
 */

import { EVERYONE } from "../../../shared/addressing.ts";
import { HubError } from "../../../shared/errors.ts";
import type { Bounds } from "../../../shared/limits.ts";
import type { MessageState } from "../../core/message.ts";
import type { ReceiptTable } from "./ledger.ts";

type Pair = Pick<MessageState, "from_claude" | "to_claude">;

type Undelivered = Pick<ReceiptTable, "isUndelivered">;

/** Waiting messages by name. */
export interface BacklogCounts {
  readonly recipients: Map<string, number>;
  readonly senders: Map<string, number>;
}

export class Backlog {
  readonly #count: () => BacklogCounts;
  readonly #receipts: Undelivered;
  #counts: BacklogCounts | undefined;

  /** @param count counts what waits now. */
  constructor(count: () => BacklogCounts, receipts: Undelivered) {
    this.#count = count;
    this.#receipts = receipts;
  }

  /** Updates the counts after a message changed. Its receipts must exist by then. */
  moved(before: MessageState | undefined, after: MessageState | null): void {
    if (!this.#counts) return;
    const by = Number(mayWait(after)) - Number(mayWait(before));
    const state = (after ?? before) as MessageState;
    if (by !== 0 && waits(state, this.#receipts)) this.#add(state, by);
  }

  /** One more awaited recipient has a chat to everyone. */
  delivered(state: MessageState): void {
    if (this.#counts && mayWait(state) && !this.#receipts.isUndelivered(state.id)) this.#add(state, -1);
  }

  #add({ from_claude, to_claude }: Pair, by: number): void {
    const { recipients, senders } = this.#counts as BacklogCounts;
    add(recipients, to_claude, by);
    add(senders, from_claude, by);
  }

  /**
   * Why a sender may not send a recipient any more now; undefined: it may.
   *
   * @param pending counts of pending messages, which include those that wait: for the recipient, and in all.
   */
  refusal(
    { from_claude, to_claude }: Pair,
    bounds: Bounds,
    pending: { own: number; all: number },
  ): HubError | undefined {
    const { pending_per_sender: perSender } = bounds;
    const perRecipient = to_claude === EVERYONE ? Number.POSITIVE_INFINITY : bounds.pending_per_recipient;
    if (pending.own < perRecipient && pending.all < perSender) return undefined;
    this.#counts ??= this.#count();
    const forRecipient = this.#counts.recipients.get(to_claude) ?? 0;
    if (forRecipient >= perRecipient) return recipientFull(to_claude, forRecipient, bounds);
    const ofSender = this.#counts.senders.get(from_claude) ?? 0;
    return ofSender >= perSender ? senderFull(from_claude, ofSender, bounds) : undefined;
  }
}

const mayWait = (state: MessageState | null | undefined): boolean =>
  state?.status === "pending" && (state.type === "task" || state.delivered_at === null);

const waits = ({ id, to_claude }: MessageState, receipts: Undelivered): boolean =>
  to_claude !== EVERYONE || receipts.isUndelivered(id);

function add(counts: Map<string, number>, name: string, by: number): void {
  const count = (counts.get(name) ?? 0) + by;
  if (count === 0) counts.delete(name);
  else counts.set(name, count);
}

const recipientFull = (to_claude: string, waiting: number, { pending_per_recipient: limit }: Bounds) =>
  new HubError(
    "recipient_full",
    `${waiting} messages wait for ${to_claude}, which is the most: send more once it has taken some, or delete some`,
    { to_claude, waiting, limit },
  );

const senderFull = (from_claude: string, waiting: number, { pending_per_sender: limit }: Bounds) =>
  new HubError(
    "sender_full",
    `${waiting} messages from ${from_claude} wait, which is the most: send more once some are taken, or delete some`,
    { from_claude, waiting, limit },
  );
