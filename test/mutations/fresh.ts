/** Bugs in how a batch keeps what it has sent until it ends. */
import type { Mutation } from "./mutations.ts";

const LEDGER = "server/store/sqlite/tables/sqliteLedger.ts";
const FRESH = "server/store/sqlite/tables/freshMessages.ts";

export const FRESH_MUTATIONS: readonly Mutation[] = [
  {
    breaks: "fresh: a worker that waits is not given what its batch sends",
    file: LEDGER,
    search: "const fresh = this.#fresh.next(recipient);",
    replace: "const fresh = undefined as MessageState | undefined;",
  },
  {
    breaks: "fresh: what is urgent waits behind what was there before its batch",
    file: LEDGER,
    search: "return rankOf(fresh) < rankOf(inTable) ? fresh : inTable;",
    replace: "return inTable;",
  },
  {
    breaks: "fresh: a claim that is repeated in its batch is given another task",
    file: LEDGER,
    search: "return inTable ?? this.#fresh.find((state) => state.claim_key === claimKey && isHeldBy(state, holder));",
    replace: "return inTable;",
  },
  {
    breaks: "fresh: somebody else's claim is taken for a repeat",
    file: LEDGER,
    search: "(state) => state.claim_key === claimKey && isHeldBy(state, holder)",
    replace: "(state) => state.claim_key === claimKey",
  },
  {
    breaks: "fresh: of what a batch sends, the first goes before what is urgent",
    file: FRESH,
    search: "if (first === undefined || state.claim_rank < (first.claim_rank as number)) first = state;",
    replace: "first ??= state;",
  },
  {
    breaks: "fresh: another run is given what its namesake has claimed",
    file: LEDGER,
    search: " && claimed_run === run",
    replace: "",
  },
  {
    breaks: "fresh: bounds are counted without what the batch has sent",
    file: "server/store/sqlite/tables/tally.ts",
    search: "    ledger.writeFresh();\n",
    replace: "",
  },
  {
    breaks: "fresh: a lease that was granted in the batch never ends",
    file: LEDGER,
    search: "this.writeFresh();\n    const ids = holder",
    replace: "const ids = holder",
  },
  {
    breaks: "fresh: the sender is told that nothing waits",
    file: LEDGER,
    search: "return fresh ? iso(fresh.created_at) : null;",
    replace: "return null;",
  },
  {
    breaks: "fresh: what happened in the batch is not written",
    file: FRESH,
    search: "row.hasChanged = true;",
    replace: "",
  },
  {
    breaks: "fresh: a large message is not found by its own batch",
    file: LEDGER,
    search: "this.#cache.peek(id) ?? this.#fresh.get(id) ??",
    replace: "this.#cache.peek(id) ??",
  },
  {
    breaks: "fresh: what was sent by a batch that is undone is written by the next",
    file: LEDGER,
    search: "    this.#fresh.forget();\n",
    replace: "",
  },
  {
    breaks: "fresh: an exchange is cut off too late, as its youngest reply does not count",
    file: LEDGER,
    search: "this.writeFresh();\n    return this.#sql.hopsOf",
    replace: "return this.#sql.hopsOf",
  },
  {
    breaks: "fresh: a deadline that the batch began is not waited for, nor moved with the clock",
    file: "server/store/engine/engine.ts",
    search: `    const entries = this.#journal.close(); // what was sent is in the table from here on
    const wakeAt = this.#dependencies.isBehind ? now : this.#nextWake();
    return { outcomes, entries, head: this.head, wakeAt };`,
    replace: `    const wakeAt = this.#dependencies.isBehind ? now : this.#nextWake();
    return { outcomes, entries: this.#journal.close(), head: this.head, wakeAt };`,
  },
];
