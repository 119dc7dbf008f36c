/** The table of receipts in memory. For tests. */
import { newReceipt, type Receipt } from "../../../../server/core/receipt.ts";
import type { ReceiptTable } from "../../../../server/store/engine/ledger.ts";
import type { Known } from "./memoryPresence.ts";

export class MemoryReceipts implements ReceiptTable {
  readonly #instances: ReadonlyMap<string, Known>;
  readonly #receipts = new Map<string, Map<string, Receipt>>();

  /** @param instances those that are known. */
  constructor(instances: ReadonlyMap<string, Known>) {
    this.#instances = instances;
  }

  open(id: string, sender: string, since: number, limit: number) {
    const names = this.#known(since).filter((name) => name !== sender);
    for (const name of names.slice(0, limit)) this.put(id, newReceipt(name));
  }

  of(id: string, recipient: string) {
    return this.#receipts.get(id)?.get(recipient);
  }

  put(id: string, receipt: Receipt) {
    const known = this.#receipts.get(id) ?? new Map<string, Receipt>();
    this.#receipts.set(id, known.set(receipt.recipient, receipt));
  }

  count(id: string) {
    return this.all(id).length;
  }

  isOpen(id: string) {
    return this.all(id).some(({ acknowledged_at, isLate }) => acknowledged_at === null && !isLate);
  }

  isUndelivered(id: string) {
    return this.all(id).some(({ delivered_at, isLate }) => delivered_at === null && !isLate);
  }

  all(id: string) {
    const receipts = [...(this.#receipts.get(id)?.values() ?? [])];
    return receipts.sort((a, b) => (a.recipient < b.recipient ? -1 : 1));
  }

  /** What a recipient has not acknowledged yet, by message. */
  openFor(recipient: string): Map<string, Receipt> {
    const own = [...this.#receipts].map(([id, all]) => [id, all.get(recipient)] as const);
    return new Map(own.filter((one): one is [string, Receipt] => one[1]?.acknowledged_at === null));
  }

  awaited(recipient: string, limit: number) {
    return [...this.openFor(recipient)].filter(([, { isLate }]) => !isLate).slice(0, limit);
  }

  /** The message is gone. */
  forget(id: string) {
    this.#receipts.delete(id);
  }

  /** Names of instances that are there or were seen since: those online first, then by when they were last seen. */
  #known(since: number): string[] {
    const lately = [...this.#instances.values()].filter(
      ({ state, last_seen }) => state !== "offline" || last_seen >= since,
    );
    const isAway = ({ state }: Known) => Number(state !== "online");
    const inOrder = lately.sort(
      (a, b) => isAway(a) - isAway(b) || b.last_seen - a.last_seen || (a.claude_id < b.claude_id ? -1 : 1),
    );
    return inOrder.map(({ claude_id }) => claude_id);
  }
}
