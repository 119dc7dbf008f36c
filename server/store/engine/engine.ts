/**
 * Executes commands over a ledger: finds the message, lets the core decide, has the journal write what was decided.
 * Every store runs this same engine; only the tables below it differ.
 *
 * Invariant: a refused command has changed nothing, because decisions come before writes. All that a refusal may leave
 * is a `late` event: what a holder said after its time was over.
 */

import { EVERYONE, isFor } from "../../../shared/addressing.ts";
import { HubError } from "../../../shared/errors.ts";
import { noMessage } from "../../../shared/refusals.ts";
import type { Moment } from "../../clock.ts";
import { decideLate, endedTry, isEnding, isSaidAgain } from "../../core/attempts.ts";
import type { Command } from "../../core/commands.ts";
import { earliest, withLease } from "../../core/deadlines.ts";
import { decide, decideDelete, decideDelivered } from "../../core/decide.ts";
import type { Caller, Circumstances, MessageState } from "../../core/message.ts";
import { markOf } from "../../core/receipt.ts";
import { addressesOf } from "../../core/view.ts";
import { iso } from "../../iso.ts";
import { NOTHING, type Nothing, type Outcome, type OutcomeOf, type Shown } from "../outcomes.ts";
import type { CommitResult, Counts } from "../store.ts";
import { ASKED, type StoreCommand, type StoreCommandOf } from "../storeCommands.ts";
import { lift } from "./chains.ts";
import { Dependencies } from "./dependencies.ts";
import { circumstances, type EngineOptions, HUB } from "./engineOptions.ts";
import { Journal, type Tally } from "./journal.ts";
import type { HolderKey, Ledger } from "./ledger.ts";
import { BATCH_CHARS, OVERLOADED } from "./overload.ts";
import { Receipts } from "./receipts.ts";
import { prune } from "./retention.ts";
import { Schedules } from "./schedules.ts";
import { Sending } from "./sending.ts";
import { Templates } from "./templates/templates.ts";
import { Timekeeper } from "./timekeeper.ts";

/** How many due messages one `wake` handles; more are due again at once. */
const WAKE_BATCH = 200;

type Handler<Op extends StoreCommand["op"]> = (command: StoreCommandOf<Op>) => OutcomeOf<Op>;

export class Engine {
  readonly #ledger: Ledger;
  readonly #options: EngineOptions;
  readonly #templates: Templates;
  readonly #schedules: Schedules;
  readonly #journal: Journal;
  readonly #dependencies: Dependencies;
  readonly #sending: Sending;
  readonly #receipts: Receipts;
  readonly #timekeeper: Timekeeper;
  #now = 0;

  constructor(options: EngineOptions, tally: Tally) {
    this.#options = options;
    this.#ledger = options.ledger;
    this.#timekeeper = new Timekeeper(options.ledger);
    this.#dependencies = new Dependencies(options.ledger);
    this.#journal = new Journal(options.ledger, options.lease.graceMs, tally, this.#dependencies.observe);
    this.#sending = new Sending(options, this.#journal, this.#dependencies);
    this.#receipts = new Receipts(options.ledger.receipts, this.#journal, options.fingerprint);
    this.#templates = new Templates(options.ledger, {
      check: (said) => this.#sending.check(said, this.#now),
      send: (said) => this.#sending.enter(said, this.#now),
      json: (state) => this.#journal.json(state),
      queueOf: (recipient) => this.#journal.queueOf(recipient),
      fingerprint: options.fingerprint,
      checkWhole: options.checkWhole,
    });
    this.#schedules = new Schedules({
      table: options.ledger.schedules,
      message: (id) => options.ledger.message(id),
      send: (said) => this.#sending.take(said, this.#now).id,
      say: (json) => this.#journal.say(json),
    });
  }

  get head(): number {
    return this.#journal.head;
  }

  get counts(): Readonly<Counts> {
    return this.#journal.counts;
  }

  waiting(recipient: string): number {
    return this.#journal.waiting(recipient);
  }

  /** Starts over from what the tables hold, after a transaction that did not commit. */
  reset(tally: Tally): void {
    this.#journal.reset(tally);
    this.#dependencies.reset();
    this.#timekeeper.reset();
  }

  /** Executes a batch inside the caller's transaction. */
  execute(commands: readonly StoreCommand[], at: Moment): CommitResult {
    const { now } = at;
    this.#now = now;
    this.#timekeeper.keep(at);
    this.#journal.open(now);
    this.#templates.beginBatch();
    const outcomes = commands.map((command) => this.#executeOne(command));
    if (this.#dependencies.isBehind) this.#settle();
    const entries = this.#journal.close(); // what was sent is in the table from here on
    const wakeAt = this.#dependencies.isBehind ? now : this.#nextWake();
    return { outcomes, entries, head: this.head, wakeAt };
  }

  #nextWake(): number | null {
    return earliest(this.#ledger.earliestWake(), this.#timekeeper.noteAt);
  }

  #settle(): void {
    this.#dependencies.settle((before, decision) => this.#journal.apply(before, decision), this.#as());
  }

  #executeOne(command: StoreCommand): Outcome {
    if (this.#journal.chars > BATCH_CHARS && ASKED.has(command.op)) return OVERLOADED;
    try {
      return (this.#handlers[command.op] as Handler<StoreCommand["op"]>)(command);
    } catch (error) {
      if (!(error instanceof HubError)) throw error;
      const done = command.op === "change" && isTooLate(error) ? this.#afterwards(command) : undefined;
      return done ?? { ok: false, error: error.toWire() };
    }
  }

  readonly #handlers: { [Op in StoreCommand["op"]]: Handler<Op> } = {
    send: (command) => this.#sending.send(command, this.#now),
    template_send: (command) => this.#templates.send(command, this.#now),
    template_put: (command) => this.#templates.put(command, iso(this.#now)),
    template_delete: (command) => this.#templates.remove(command),
    change: (command) => this.#change(command),
    claim_next: (command) => this.#claimNext(command),
    delete: ({ id, caller }) => {
      const state = this.#existing(id);
      this.#journal.apply(state, decideDelete(caller.claude_id));
      return NOTHING;
    },
    delivered: ({ ids, reader }) => this.#delivered(ids, addressesOf(reader)),
    lapse: ({ holder, forMs }) => this.#moveLeases(holder, (state) => state.lease_until ?? this.#now + forMs),
    keep: ({ holder }) => this.#moveLeases(holder, () => null),
    lengthen: ({ claude_id, forMs }) =>
      this.#moveLeases({ claude_id, run: null }, (state) => Math.max(state.lease_until ?? 0, this.#now + forMs)),
    lift: ({ chain_id, hops }) => ({ ok: true, json: lift(this.#ledger, chain_id, this.#options.bounds, hops) }),
    wake: () => this.#wake(),
    note_time: () => {
      this.#timekeeper.note(this.#now);
      return NOTHING;
    },
    probe: () => {
      this.#ledger.probe(this.#now);
      return NOTHING;
    },
    prune: (command) => this.#prune(command),
    presence: ({ transitions }) => {
      this.#ledger.recordPresence(transitions);
      return NOTHING;
    },
    schedule_put: (command) => this.#schedules.put(command, this.#now),
    schedule_delete: (command) => this.#schedules.remove(command),
    schedule_fire: (command) => this.#schedules.fire(command, this.#now),
    schedule_rewind: (command) => this.#schedules.rewind(command, this.#now),
  };

  #change({ id, caller, command }: StoreCommandOf<"change">): Shown {
    const state = this.#expired(this.#existing(id), command);
    if (command.op === "retry" && state.after) return this.#retryWaiting(state, caller);
    const mark = markOf(state, command, caller);
    if (mark) return this.#done(this.#receipts.change(state, mark, command, this.#as(caller)));
    return this.#done(this.#journal.apply(state, decide(state, command, this.#as(caller))));
  }

  #retryWaiting(state: MessageState, caller: Caller): Shown {
    const after = (state.after as readonly string[]).filter((id) => this.#ledger.message(id));
    const obstacles = this.#dependencies.obstacles(after);
    const refusal = this.#dependencies.refusal(after);
    if (refusal) throw refusal;
    const { open, failed } = obstacles;
    const decision = decide(state, { op: "retry", blocked: open.length }, this.#as(caller));
    if (failed !== undefined) {
      throw new HubError("wrong_status", `Task waits for ${failed}, which has failed: retry that first`, {
        id: state.id,
        status: state.status,
        waits_for: failed,
      });
    }
    return this.#done(this.#sending.begin(this.#journal.apply(state, decision), obstacles, this.#now));
  }

  #claimNext({ caller, queues, claim_key }: StoreCommandOf<"claim_next">): OutcomeOf<"claim_next"> {
    if (claim_key !== undefined) {
      const holder = { claude_id: caller.claude_id ?? (queues[0] as string), run: caller.run };
      const before = this.#ledger.claimedWith(holder, claim_key);
      if (before) return this.#done(before);
    }
    const command = { op: "claim", claim_key } as const;
    for (let first = this.#next(queues); first; first = this.#next(queues)) {
      const state = this.#expired(first, command);
      if (state === first) return this.#done(this.#journal.apply(state, decide(state, command, this.#as(caller))));
      if (this.#journal.chars > BATCH_CHARS) return OVERLOADED;
    }
    return NOTHING;
  }

  /** Nobody is given an expired task, even if it has not been ended yet. @returns it as it is now. */
  #expired(state: MessageState, { op }: Command): MessageState {
    if (op !== "claim" || state.type === "chat" || state.status !== "pending") return state;
    if (state.expires_at === null || state.expires_at > this.#now) return state;
    return this.#journal.apply(state, decide(state, { op: "wake" }, this.#as()));
  }

  /** The first task of several queues. */
  #next(queues: readonly string[]): MessageState | undefined {
    let first: MessageState | undefined;
    for (const queue of queues) {
      const next = this.#ledger.next(queue);
      if (next && (!first || goesBefore(next, first))) first = next;
    }
    return first;
  }

  #delivered(ids: readonly string[], addresses: readonly string[]): Shown {
    const [claudeId] = addresses as [string];
    let count = 0;
    for (const id of ids) {
      const state = this.#ledger.message(id);
      if (!state || !isFor(state, addresses)) continue;
      count++;
      if (state.to_claude === EVERYONE) this.#receipts.delivered(state, claudeId, this.#now);
      else this.#journal.apply(state, decideDelivered(state, claudeId, this.#now));
    }
    return { ok: true, json: JSON.stringify({ count }) };
  }

  /** A holder speaks of its try after that was over: what it says again is done, anything else is kept. */
  #afterwards({ id, caller, command }: StoreCommandOf<"change">): Shown | undefined {
    const state = this.#ledger.message(id);
    if (!isEnding(command) || !state || state.type === "chat") return undefined;
    const ended = endedTry(this.#ledger.attempts(id), state, command.attempt, caller);
    if (!ended) return undefined;
    if (isSaidAgain(state, command, ended)) return this.#done(state);
    if (command.op === "release" || ended.late) return undefined;
    this.#ledger.recordAttempt(id, { ...ended, late: true });
    this.#journal.apply(state, decideLate(state, command, ended));
    return undefined;
  }

  /** Moves leases silently: no event tells of it, and no seq is used. */
  #moveLeases(holder: HolderKey | undefined, leaseUntil: (state: MessageState) => number | null): Nothing {
    for (const id of this.#ledger.held(holder)) {
      const state = this.#existing(id);
      this.#ledger.update(withLease(state, leaseUntil(state)));
    }
    return NOTHING;
  }

  #wake(): Nothing {
    const c = this.#as();
    for (const id of this.#ledger.due(this.#now, WAKE_BATCH)) {
      const state = this.#existing(id);
      this.#journal.apply(state, decide(state, { op: "wake" }, c));
    }
    return NOTHING;
  }

  #prune(command: StoreCommandOf<"prune">): Shown {
    const remove = (state: MessageState) => void this.#journal.apply(state, decideDelete(HUB.claude_id));
    const messageOf = (id: string) => this.#ledger.message(id) as MessageState;
    const giveUp = (name: string, limit: number) => this.#receipts.giveUp(name, limit, messageOf, this.#as());
    const report = prune(command, { tables: this.#ledger.retention, now: this.#now, remove, giveUp });
    return { ok: true, json: JSON.stringify(report) };
  }

  /** The circumstances in which somebody, or the hub itself, does something now. */
  #as(caller = HUB): Circumstances {
    return circumstances(this.#options, caller, this.#now);
  }

  #existing(id: string): MessageState {
    const state = this.#ledger.message(id);
    if (!state) throw noMessage(id);
    return state;
  }

  #done(state: MessageState): Shown {
    return { ok: true, json: this.#journal.json(state) };
  }
}

/** In claim order; of equals, the one that came first. */
const goesBefore = (a: MessageState, b: MessageState) =>
  (a.claim_rank as number) - (b.claim_rank as number) < 0 || (a.claim_rank === b.claim_rank && a.id < b.id);

const isTooLate = ({ code }: HubError) => code === "lease_lost" || code === "wrong_status";
