/**
 * How many messages wait to be taken, by whom they are for and who sent them, so that nobody piles up more than the
 * hub's bounds.
 *
 * A pending task waits; a pending chat waits until its recipient's client has it, because nobody has to acknowledge a
 * chat that was read. What is for everyone waits for nobody in particular, and is not counted.
 */
import { HubError } from "../../shared/errors.ts";
import type { Bounds } from "../../shared/limits.ts";
import type { MessageState } from "../core/message.ts";
import { EVERYONE } from "../core/receipt.ts";

type Pair = Pick<MessageState, "from_claude" | "to_claude">;

export class Backlog {
  readonly #recipients: Map<string, number>;
  readonly #senders: Map<string, number>;

  constructor(recipients = new Map<string, number>(), senders = new Map<string, number>()) {
    this.#recipients = recipients;
    this.#senders = senders;
  }

  /** Counts what a message that changed means for its recipient and its sender. */
  moved(before: MessageState | undefined, after: MessageState | null): void {
    const by = Number(waits(after)) - Number(waits(before));
    if (by === 0) return;
    const { from_claude, to_claude } = (after ?? before) as MessageState;
    add(this.#recipients, to_claude, by);
    add(this.#senders, from_claude, by);
  }

  /** Why a sender may send a recipient nothing more now; undefined: it may. */
  refusal({ from_claude, to_claude }: Pair, bounds: Bounds): HubError | undefined {
    if (to_claude === EVERYONE) return undefined;
    const forRecipient = this.#recipients.get(to_claude) ?? 0;
    if (forRecipient >= bounds.pending_per_recipient) return recipientFull(to_claude, forRecipient, bounds);
    const ofSender = this.#senders.get(from_claude) ?? 0;
    return ofSender >= bounds.pending_per_sender ? senderFull(from_claude, ofSender, bounds) : undefined;
  }
}

const waits = (state: MessageState | null | undefined): boolean =>
  state?.status === "pending" && (state.type === "task" || state.delivered_at === null) && state.to_claude !== EVERYONE;

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
