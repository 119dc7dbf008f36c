/**
 * Receipts of chats to everyone.
 *
 * Whoever is known when one is sent has a receipt of it from the beginning, those that are there first; who comes later
 * and has it, too, gets one then. Marking one tells the sender only, and leaves the message's row alone. The message is
 * complete once nobody's receipt is open.
 */
import { LIMITS } from "../../shared/limits.ts";
import type { Command } from "../core/commands.ts";
import { decide } from "../core/decide.ts";
import type { Circumstances, MessageState } from "../core/message.ts";
import { isMarked, isOver, type Mark, marked, newReceipt, type Receipt, standing } from "../core/receipt.ts";
import type { Journal } from "./journal.ts";
import type { ReceiptTable } from "./ledger.ts";

type Said = Pick<MessageState, "result" | "error">;

const NOTHING_SAID: Said = { result: null, error: null };

export class Receipts {
  readonly #table: ReceiptTable;
  readonly #journal: Journal;

  constructor(table: ReceiptTable, journal: Journal) {
    this.#table = table;
    this.#journal = journal;
  }

  /** A recipient's client has it. */
  delivered(state: MessageState, recipient: string, now: number): void {
    if (recipient === state.from_claude || isOver(state)) return;
    const receipt = this.#receiptOf(state, recipient);
    if (receipt && !isMarked(receipt, "delivered")) this.#mark(state, receipt, "delivered", NOTHING_SAID, now);
  }

  /**
   * A recipient reads or acknowledges it.
   *
   * @returns the message as it stands for the recipient.
   * @throws HubError `wrong_status` when the message has ended meanwhile.
   */
  change(state: MessageState, mark: Mark, command: Command, c: Circumstances): MessageState {
    const receipt = this.#receiptOf(state, c.caller.claude_id as string);
    if (!receipt) return state;
    if (isMarked(receipt, mark)) return standing(state, receipt);
    if (isOver(state) && command.op !== "seen") return this.#journal.apply(state, decide(state, command, c));
    const said = saidWith(command);
    const next = this.#mark(state, receipt, mark, said, c.now);
    const isAll = mark === "acknowledged" && !this.#table.isOpen(state.id);
    const message = isAll ? this.#journal.apply(state, decide(state, { op: "complete" }, c)) : state;
    return { ...standing(message, next), ...said };
  }

  /** Undefined: there are too many already. */
  #receiptOf({ id }: MessageState, recipient: string): Receipt | undefined {
    const receipt = this.#table.of(id, recipient);
    if (receipt || this.#table.count(id) >= LIMITS.receipts) return receipt;
    return newReceipt(recipient);
  }

  #mark(state: MessageState, receipt: Receipt, mark: Mark, said: Said, now: number): Receipt {
    const next = marked(receipt, mark, now);
    this.#table.put(state.id, next);
    this.#journal.tellSender({ kind: mark, actor: receipt.recipient }, { ...state, ...said });
    return next;
  }
}

const saidWith = (command: Command): Said =>
  command.op === "complete" || command.op === "fail"
    ? { result: command.result ?? null, error: command.error ?? null }
    : NOTHING_SAID;
