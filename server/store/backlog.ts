/**
 * How many messages wait to be taken, by whom they are for and who sent them, so that nobody piles up more than the
 * hub's bounds.
 *
 * A pending task waits; a pending chat waits until its recipient's client has it, because nobody has to acknowledge a
 * chat that was read. What is for everyone waits for nobody in particular, and is not counted.
 *
 * Counting takes a look at everything that is pending, so it is put off until there are so many that a bound may be
 * reached at all: most hubs never get there.
 */
import { HubError } from "../../shared/errors.ts";
import type { Bounds } from "../../shared/limits.ts";
import type { MessageState } from "../core/message.ts";
import { EVERYONE } from "../core/receipt.ts";

type Pair = Pick<MessageState, "from_claude" | "to_claude">;

/** Waiting messages by name. */
export interface BacklogCounts {
  readonly recipients: Map<string, number>;
  readonly senders: Map<string, number>;
}

export class Backlog {
  readonly #count: () => BacklogCounts;
  #counts: BacklogCounts | undefined;

  /** @param count counts what waits now. */
  constructor(count: () => BacklogCounts) {
    this.#count = count;
  }

  /** Takes notice of what a message that changed means for its recipient and its sender. */
  moved(before: MessageState | undefined, after: MessageState | null): void {
    if (!this.#counts) return;
    const by = Number(waits(after)) - Number(waits(before));
    if (by === 0) return;
    const { from_claude, to_claude } = (after ?? before) as MessageState;
    add(this.#counts.recipients, to_claude, by);
    add(this.#counts.senders, from_claude, by);
  }

  /**
   * Why a sender may send a recipient nothing more now; undefined: it may.
   *
   * @param pending messages, of which those that wait are a part: for the recipient, and all.
   */
  refusal(
    { from_claude, to_claude }: Pair,
    bounds: Bounds,
    pending: { own: number; all: number },
  ): HubError | undefined {
    if (to_claude === EVERYONE) return undefined;
    const { pending_per_recipient: perRecipient, pending_per_sender: perSender } = bounds;
    if (pending.own < perRecipient && pending.all < perSender) return undefined;
    this.#counts ??= this.#count();
    const forRecipient = this.#counts.recipients.get(to_claude) ?? 0;
    if (forRecipient >= perRecipient) return recipientFull(to_claude, forRecipient, bounds);
    const ofSender = this.#counts.senders.get(from_claude) ?? 0;
    return ofSender >= perSender ? senderFull(from_claude, ofSender, bounds) : undefined;
  }
}

export function countWaiting(messages: Iterable<MessageState>): BacklogCounts {
  const counts: BacklogCounts = { recipients: new Map(), senders: new Map() };
  for (const message of messages) {
    if (!waits(message)) continue;
    add(counts.recipients, message.to_claude, 1);
    add(counts.senders, message.from_claude, 1);
  }
  return counts;
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
