/** Walks a store and the model side by side; after every step they must agree, and the invariants must hold. */
import assert from "node:assert/strict";
import { momentOf } from "../../../../server/clock.ts";
import type { Outcome } from "../../../../server/store/outcomes.ts";
import type { LogEntry, Store } from "../../../../server/store/store.ts";
import type { StoreCommand } from "../../../../server/store/storeCommands.ts";
import type { Event } from "../../../../shared/event.ts";
import type { Message } from "../../../../shared/message.ts";
import { LEASE } from "../../core/support.ts";
import { parsed, type StoreDriver } from "../driver.ts";
import { comparable, countsOf, folded, workloadOf } from "../fold.ts";
import type { ModelMessage, Told } from "./message.ts";
import { Model, type Verdict } from "./model.ts";
import { commandOf, type Step } from "./steps.ts";
import { receiptsOf, view } from "./view.ts";

/** Opens the store of a walk, or opens it again. */
export type OpenStore = (before?: StoreDriver) => Promise<StoreDriver>;

const receiptsIn = async (store: Store, id: string) => JSON.parse((await store.receipts(id)) as string);

export class Walk {
  readonly #open: OpenStore;
  readonly #model = new Model(LEASE);
  /** All messages that were ever sent, also those deleted since. */
  readonly #sent: ModelMessage[] = [];
  readonly #live: LogEntry[] = [];
  #store!: StoreDriver;
  #list: Message[] = [];

  private constructor(open: OpenStore) {
    this.#open = open;
  }

  static async run(open: OpenStore, steps: readonly Step[]): Promise<void> {
    const walk = new Walk(open);
    walk.#store = await open();
    try {
      const arrived = (at: number) => ["b", "c"].map((claude_id) => ({ claude_id, state: "online" as const, at }));
      await walk.#commit((now) => [{ op: "presence", transitions: arrived(now) }]);
      for (const step of steps) await walk.#take(step);
      await walk.#expectReplayIsLive();
    } finally {
      await walk.#store.close();
    }
  }

  async #take(step: Step): Promise<void> {
    if ("commit" in step) {
      const known = [...this.#sent]; // a command can only be about what was sent before its batch
      await this.#commit((now) => step.commit.map((op) => commandOf(op, known, now)));
    } else if ("tick" in step) {
      this.#store.clock.advance(step.tick);
      if (step.wakes) await this.#wakeUntilNothingIsDue();
    } else if ("step" in step) {
      this.#store.clock.step(step.step);
    } else if ("stop" in step) {
      this.#store.clock.stop(step.stop);
    } else {
      await this.#store.close();
      this.#model.restarted();
      this.#store.clock.step(step.restart);
      this.#store = await this.#open(this.#store);
      await this.#expectAgreement([]);
    }
  }

  async #wakeUntilNothingIsDue(): Promise<void> {
    for (let i = 0; i < 4; i++) await this.#commit(() => [{ op: "wake" }]);
    for (const moment of [this.#model.earliestWake, this.#store.wakeAt]) {
      assert.ok(moment === null || moment > this.#store.now, "something stays due for ever");
    }
  }

  /** Commits one batch to both, and compares what they say and what they hold. */
  async #commit(commandsAt: (now: number) => StoreCommand[]): Promise<void> {
    this.#keepTime();
    const commands = commandsAt(this.#store.now);
    const verdicts = commands.map((command) => this.#model.apply(command, this.#store.now));
    const settled = this.#model.settle(this.#store.now);
    const { outcomes, entries, wakeAt } = await this.#store.commit(...commands);
    const told = [...verdicts.flatMap((verdict) => verdict.events), ...settled];
    this.#learn(verdicts, outcomes, told, entries);
    this.#expectEvents(told, entries);
    this.#expectWakeIsNotLate(wakeAt);
    this.#live.push(...entries);
    this.#expectOneHolderAndOneCompletion();
    await this.#expectAgreement(entries.map(parsed));
    for (const [i, verdict] of verdicts.entries()) this.#expectOutcome(verdict, outcomes[i] as Outcome);
  }

  /** Rests move silently with a clock that has jumped, as leases do: no event tells of it. */
  #keepTime(): void {
    for (const { id, notBefore } of this.#model.keep(momentOf(this.#store.clock))) {
      const listed = this.#list.find((message) => message.id === id);
      if (listed) listed.not_before = new Date(notBefore as number).toISOString();
    }
  }

  /** Takes over what only the store knows: ids, seqs, how long a task rests, and which of several failures came first. */
  #learn(
    verdicts: readonly Verdict[],
    outcomes: readonly Outcome[],
    told: readonly Told[],
    entries: readonly LogEntry[],
  ) {
    for (const [i, verdict] of verdicts.entries()) {
      const outcome = outcomes[i] as Outcome;
      if (!verdict.ok || verdict.deduplicated !== false || !outcome.ok) continue;
      (verdict.message as ModelMessage).id = JSON.parse(outcome.json as string).id;
      this.#sent.push(verdict.message as ModelMessage);
    }
    for (const { seq, id, to } of entries) {
      const message = this.#sent.find((one) => one.id === id);
      if (message?.said.to_claude === to) message.seq = seq; // else it is a receipt, and only its sender's
    }
    for (const one of told) this.#learnFrom(one, entries);
  }

  #learnFrom({ kind, message, rest }: Told, entries: readonly LogEntry[]): void {
    const entry = entries.findLast((one) => one.id === message.id && one.kind === kind);
    if (!entry) return; // which is found out later
    const { error, not_before } = parsed(entry).message;
    if (kind === "failed" && this.#model.reasonsOf(message).includes(error as string)) message.error = error as string;
    if (!rest || message.notBefore !== Number.POSITIVE_INFINITY) return;
    message.notBefore = Date.parse(not_before as string);
    assert.ok(message.notBefore >= rest.least && message.notBefore <= rest.most, "a rest out of bounds");
  }

  /** The same events; those of several messages at once in any order. */
  #expectEvents(told: readonly Told[], entries: readonly LogEntry[]): void {
    const last = this.#live.at(-1)?.seq ?? 0;
    assert.deepEqual(
      entries.map(({ seq }) => seq),
      entries.map((_, i) => last + 1 + i),
      "seqs have gaps",
    );
    const sorted = (lines: string[]) => lines.sort();
    assert.deepEqual(
      sorted(entries.map(({ kind, id }) => `${id} ${kind}`)),
      sorted(told.map(({ kind, message }) => `${message.id} ${kind}`)),
    );
  }

  #expectOutcome(verdict: Verdict, outcome: Outcome): void {
    if (!verdict.ok || !outcome.ok) {
      assert.equal(outcome.ok ? "accepted" : outcome.error.code, verdict.ok ? "accepted" : verdict.code);
      return;
    }
    assert.equal("deduplicated" in outcome ? outcome.deduplicated : undefined, verdict.deduplicated);
    const message = outcome.json === null ? null : JSON.parse(outcome.json);
    assert.equal(message?.id, verdict.message?.id);
    if (verdict.erased !== undefined) assert.equal(message.erased ?? false, verdict.erased);
  }

  /** I5: the list is the list before and the events since; and it is what the model holds. Counts count it. */
  async #expectAgreement(events: readonly Event[]): Promise<void> {
    const { store, now } = this.#store;
    const list = (await this.#store.list()).messages;
    assert.deepEqual(
      list,
      this.#model.messages.map((message) => view(message, now + LEASE.graceMs)),
    );
    assert.deepEqual(comparable(list), folded(this.#list, events));
    this.#list = list;
    assert.deepEqual(await store.counts(), countsOf(list));
    for (const message of this.#model.messages) {
      if (message.said.to_claude === "*") assert.deepEqual(await receiptsIn(store, message.id), receiptsOf(message));
    }
    const names = ["a", "b", "*"];
    assert.deepEqual(
      await store.workload(names),
      names.map((one) => workloadOf(list, one)),
    );
  }

  /** Never later than the model's moment; a look too early is allowed, and finds nothing. */
  #expectWakeIsNotLate(wakeAt: number | null): void {
    const expected = this.#model.earliestWake;
    if (expected !== null) assert.ok(wakeAt !== null && wakeAt <= expected, `wakes at ${wakeAt}, not at ${expected}`);
  }

  /** I6: at most one claim an attempt, at most one completion a message. */
  #expectOneHolderAndOneCompletion(): void {
    const seen = new Set<string>();
    for (const { kind, message } of this.#live.map(parsed)) {
      if (kind !== "claimed" && kind !== "completed") continue;
      if (message.type === "chat" && kind === "claimed") continue;
      const once = kind === "claimed" ? `${message.id} ${message.attempt}` : message.id;
      assert.ok(!seen.has(`${kind} ${once}`), `${kind} twice: ${once}`);
      seen.add(`${kind} ${once}`);
    }
  }

  /** I4: what is read back is what went out, apart from what was erased since; for everyone who may read it. */
  async #expectReplayIsLive(): Promise<void> {
    const gone = new Set(this.#live.filter(({ kind }) => kind === "deleted").map(({ id }) => id));
    for (const reader of [null, "a", "b", "c"]) {
      const expected = this.#live
        .filter(({ from, to }) => reader === null || from === reader || to === reader || to === "*")
        .map(({ json, kind, id, bodiesAt }) =>
          gone.has(id) && kind !== "deleted" ? `${json.slice(0, bodiesAt)},"erased":true}}` : json,
        );
      const replayed = (await this.#readInPortions(reader)).map(({ json }) => json);
      assert.deepEqual(replayed, expected);
    }
  }

  async #readInPortions(reader: string | null): Promise<LogEntry[]> {
    const read: LogEntry[] = [];
    for (let after = 0; after < this.#store.head; ) {
      const { entries, upTo } = await this.#store.log(reader, after, 5);
      assert.ok(upTo > after, "a portion leads nowhere");
      read.push(...entries);
      after = upTo;
    }
    return read;
  }
}
