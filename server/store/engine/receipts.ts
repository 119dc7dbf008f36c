/**
 * Receipts of chats to everyone.
 *
 * Whoever is there, or was until lately, when one is sent has a receipt of it from the beginning, those online first;
 * whoever comes later and has it, too, gets one then, which nobody waits for. Marking a receipt tells the sender only,
 * and leaves the message's row alone. The message is complete once all who had one from the beginning have acknowledged;
 * their receipts still record what is delivered, seen or acknowledged after its end.
 */
import { HubError } from "../../../shared/errors.ts";
import { LIMITS } from "../../../shared/limits.ts";
import type { Command } from "../../core/commands.ts";
import { decide } from "../../core/decide.ts";
import { type Circumstances, isOver, type MessageState } from "../../core/message.ts";
import { isMarked, type Mark, marked, newReceipt, type Receipt, standing } from "../../core/receipt.ts";
import type { Journal } from "./journal.ts";
import type { ReceiptTable } from "./ledger.ts";

/** What an acknowledgement carries. */
type Said = Pick<MessageState, "result" | "error">;

export class Receipts {
  readonly #table: ReceiptTable;
  readonly #journal: Journal;
  readonly #fingerprint: (text: string) => string;

  constructor(table: ReceiptTable, journal: Journal, fingerprint: (text: string) => string) {
    this.#table = table;
    this.#journal = journal;
    this.#fingerprint = fingerprint;
  }

  /** A recipient's client has it. */
  delivered(state: MessageState, recipient: string, now: number): void {
    if (recipient === state.from_claude || (isOver(state) && !this.#table.of(state.id, recipient))) return;
    const receipt = this.#receiptOf(state, recipient);
    if (!receipt || isMarked(receipt, "delivered")) return;
    this.#mark(state, "delivered", receipt, marked(receipt, "delivered", now, null));
  }

  /**
   * A recipient reads or acknowledges it, or gives it back, which changes nothing.
   *
   * @returns the message as it stands for the recipient.
   * @throws HubError `wrong_status` when the message has ended before it was read, or was acknowledged otherwise.
   */
  change(state: MessageState, mark: Mark, command: Command, c: Circumstances): MessageState {
    const receipt = this.#receiptOf(state, c.caller.claude_id as string);
    if (!receipt) return state;
    const said = saidWith(command);
    const condensed = said && this.#fingerprint(JSON.stringify([command.op, said]));
    if (isMarked(receipt, mark)) {
      if (said && condensed !== receipt.said) throw acknowledgedBefore(state, command);
      return { ...standing(state, receipt), ...said };
    }
    if (isOver(state) && command.op === "claim") return this.#journal.apply(state, decide(state, command, c));
    const next = marked(receipt, mark, c.now, condensed ?? null);
    this.#mark(state, mark, receipt, next, said);
    const isAll = mark === "acknowledged" && !isOver(state) && !this.#table.isOpen(state.id);
    const message = isAll ? this.#journal.apply(state, decide(state, { op: "complete" }, c)) : state;
    return { ...standing(message, next), ...said };
  }

  /**
   * A recipient is forgotten: nobody waits for it any more.
   *
   * @param messageOf finds a message.
   * @returns how many receipts that released, at most `limit`.
   */
  giveUp(recipient: string, limit: number, messageOf: (id: string) => MessageState, c: Circumstances): number {
    const awaited = this.#table.awaited(recipient, limit);
    for (const [id, receipt] of awaited) {
      const state = messageOf(id);
      this.#table.put(id, { ...receipt, isLate: true });
      if (!isMarked(receipt, "delivered")) this.#journal.delivered(state);
      if (!isOver(state) && !this.#table.isOpen(id)) this.#journal.apply(state, decide(state, { op: "complete" }, c));
    }
    return awaited.length;
  }

  /** Undefined: there are too many already. */
  #receiptOf({ id }: MessageState, recipient: string): Receipt | undefined {
    const receipt = this.#table.of(id, recipient);
    if (receipt || this.#table.count(id) >= LIMITS.receipts) return receipt;
    return newReceipt(recipient, true);
  }

  #mark(state: MessageState, mark: Mark, before: Receipt, after: Receipt, said?: Said): void {
    this.#table.put(state.id, after);
    if (!isMarked(before, "delivered") && !before.isLate) this.#journal.delivered(state);
    this.#journal.tellSender({ kind: mark, actor: after.recipient }, { ...state, ...(said ?? NOTHING_SAID) });
  }
}

const NOTHING_SAID: Said = { result: null, error: null };

/**
 * @returns undefined: the command acknowledges nothing.
 * @throws HubError when something is said besides reading: only an acknowledgement keeps words.
 */
function saidWith(command: Command): Said | undefined {
  if (command.op !== "claim" && command.op !== "complete" && command.op !== "fail") return undefined;
  const said = { result: command.result ?? null, error: command.error ?? null };
  if (command.op !== "claim") return said;
  if (said.result === null && said.error === null) return undefined;
  throw new HubError("invalid_params", "A chat to everyone is answered with the status complete or failed", {
    field: said.result === null ? "error" : "result",
  });
}

const acknowledgedBefore = ({ id }: MessageState, { op }: Command) =>
  new HubError("wrong_status", `Chat is complete, with another answer of yours: ${op} is not possible`, {
    id,
    status: "complete",
  });
