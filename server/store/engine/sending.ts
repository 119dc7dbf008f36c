/** How a message comes in: judged as a draft, recognised by its key if it was sent before, entered in the journal. */

import { EVERYONE } from "../../../shared/addressing.ts";
import { LIVENESS } from "../../../shared/defaults.ts";
import { extended } from "../../../shared/extended.ts";
import { LIMITS } from "../../../shared/limits.ts";
import { keyUsed } from "../../../shared/refusals.ts";
import { type NewMessage, refusalOfPast } from "../../core/create.ts";
import { failedByDependency } from "../../core/dependency.ts";
import type { MessageState } from "../../core/message.ts";
import { tombstoneJson } from "../json/messageJson.ts";
import type { Sent } from "../outcomes.ts";
import type { StoreCommandOf } from "../storeCommands.ts";
import type { Dependencies, Obstacles } from "./dependencies.ts";
import { type Draft, draft } from "./drafts.ts";
import { circumstances, type EngineOptions, HUB } from "./engineOptions.ts";
import type { Journal } from "./journal.ts";
import type { Ledger, RememberedKey } from "./ledger.ts";

export class Sending {
  readonly #options: EngineOptions;
  readonly #ledger: Ledger;
  readonly #journal: Journal;
  readonly #dependencies: Dependencies;

  constructor(options: EngineOptions, journal: Journal, dependencies: Dependencies) {
    this.#options = options;
    this.#ledger = options.ledger;
    this.#journal = journal;
    this.#dependencies = dependencies;
  }

  send({ said, key }: StoreCommandOf<"send">, now: number): Sent {
    const judged = this.#judge(said, now);
    if (key !== undefined) {
      const { type = "task", ...rest } = said;
      const fingerprint = this.#options.fingerprint(JSON.stringify(extended(rest, { type })));
      const known = judged.refusal
        ? this.#ledger.recall(said.from_claude, key) // a repeat sends nothing new
        : this.#ledger.remember(said.from_claude, key, { id: judged.id, fingerprint, created_at: now });
      if (known) return this.#sentBefore(known, known.fingerprint === fingerprint, said);
    }
    assertTaken(judged);
    const json = this.#journal.json(this.#enter(judged, now));
    return { ok: true, json, deduplicated: false, ...this.#journal.queueOf(said.to_claude) };
  }

  /** @throws HubError when this could not be sent. Writes nothing. */
  check(said: NewMessage, now: number): void {
    assertTaken(this.#judge(said, now));
  }

  /** Enters a new message of a schedule, which may come late. @throws HubError when it is refused. */
  take(said: NewMessage, now: number): MessageState {
    const judged = this.#draft(said, now);
    assertTaken(judged);
    return this.#enter(judged, now);
  }

  /**
   * Inserts a message already checked in this batch, ignoring bounds that its companions have filled since, so that a
   * macro is never sent in part.
   */
  enter(said: NewMessage, now: number): MessageState {
    return this.#enter(this.#draft(said, now), now);
  }

  /** Lets a task that is new, or new again, wait for what is in its way, or fails it at once if that is in vain. */
  begin(state: MessageState, { open, failed }: Obstacles, now: number): MessageState {
    if (failed !== undefined) {
      return this.#journal.apply(state, failedByDependency(state, failed, circumstances(this.#options, HUB, now)));
    }
    this.#ledger.waits.add(state.id, open);
    return state;
  }

  #judge(said: NewMessage, now: number): Draft {
    const judged = this.#draft(said, now);
    const refusal = refusalOfPast(said, now);
    return refusal ? { ...judged, refusal } : judged;
  }

  #draft(said: NewMessage, now: number): Draft {
    const { newId, lease, bounds } = this.#options;
    return draft(said, newId(now), {
      ledger: this.#ledger,
      dependencies: this.#dependencies,
      journal: this.#journal,
      bounds,
      lease,
      now,
    });
  }

  #enter({ decision, obstacles }: Draft, now: number): MessageState {
    if (decision.next?.to_claude === EVERYONE) this.#expectReceipts(decision.next, now);
    return this.begin(this.#journal.apply(undefined, decision), obstacles, now);
  }

  #expectReceipts({ id, from_claude }: MessageState, now: number): void {
    this.#ledger.receipts.open(id, from_claude, now - LIVENESS.lately_ms, LIMITS.receipts);
  }

  #sentBefore({ id, created_at }: RememberedKey, same: boolean, said: NewMessage): Sent {
    if (!same) throw keyUsed(id);
    const state = this.#ledger.message(id);
    const json = state ? this.#journal.json(state) : tombstoneJson({ ...said, id }, said.type ?? "task", created_at);
    return { ok: true, json, deduplicated: true, ...this.#journal.queueOf(said.to_claude) };
  }
}

function assertTaken({ refusal }: Draft): void {
  if (refusal) throw refusal;
}
