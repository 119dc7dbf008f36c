/**
 * Executes commands over a ledger: finds the message, lets the core decide, writes what was decided, appends
 * to the log. Every store runs this same engine; only the tables below it differ.
 *
 * Invariants: a refused command has written nothing, because decisions come before writes. Seqs are handed out
 * without gaps, in the order of execution. Counts always equal what a scan of the tables would give.
 */
import { HubError } from "../../shared/errors.ts";
import type { Bounds } from "../../shared/limits.ts";
import { decideLate, endedAttempt, lateAttempt } from "../core/attempts.ts";
import type { NewMessage } from "../core/create.ts";
import { decide, decideDelete, decideDelivered, withLease } from "../core/decide.ts";
import type { Decision, EventDraft } from "../core/decision.ts";
import type { Caller, Circumstances, LeasePolicy, MessageState } from "../core/message.ts";
import { doomed } from "../core/task.ts";
import type { Backlog } from "./backlog.ts";
import { lift } from "./chains.ts";
import { Dependencies, type Obstacles } from "./dependencies.ts";
import { type Draft, draft } from "./drafts.ts";
import { assemble, BODIES, bodiesOf, envelope } from "./eventJson.ts";
import type { HolderKey, Ledger } from "./ledger.ts";
import { iso, messageJson, tombstoneJson } from "./messageJson.ts";
import { prune } from "./retention.ts";
import { executeSchedule, type ScheduleCommand } from "./schedules.ts";
import type { CommitResult, Counts, LogEntry, Outcome, StoreCommand } from "./store.ts";
import { TemplateDesk } from "./templates/desk.ts";

export interface EngineOptions {
  ledger: Ledger;
  lease: LeasePolicy;
  /** Makes the id of a new message: unique and time-ordered. */
  newId: (now: number) => string;
  random: () => number;
  /** What a send said, condensed: equal for equal bodies. */
  fingerprint: (text: string) => string;
  bounds: Bounds;
}

/** What the engine keeps in memory, read from the tables when they are opened. */
export interface Tally {
  head: number;
  counts: Counts;
  /** Pending messages by recipient. */
  waiting: Map<string, number>;
  /** What counts against the bounds. */
  backlog: Backlog;
}

/** A decision's new state, which nobody else holds yet, on its way into the ledger. */
type Stamped = MessageState & { updated_at: number; seq: number };

/** How many due messages one `wake` handles; more are due again at once. */
const WAKE_BATCH = 200;

/**
 * What one batch may have to say, in characters. A few bytes can ask for megabytes, so what is asked beyond it is
 * refused, unchanged; it can be asked again at once.
 */
const BATCH_CHARS = 8 * 2 ** 20;
const ASKED: ReadonlySet<StoreCommand["op"]> = new Set([
  ...(["send", "change", "claim_next", "delete", "put_schedule"] as const),
  ...(["send_template", "template_put", "template_delete"] as const),
]);

const HUB: Caller = { claude_id: null, run: null, attached: false };

type Handler<Op extends StoreCommand["op"]> = (command: Extract<StoreCommand, { op: Op }>) => Outcome;

export class Engine {
  readonly #ledger: Ledger;
  readonly #options: EngineOptions;
  readonly #templates: TemplateDesk;
  #tally: Tally;
  #now = 0;
  #entries: LogEntry[] = [];
  #chars = 0;
  /** Since when the first message for a recipient waits, as far as this batch knows. */
  readonly #oldest = new Map<string, string>();
  #dependencies: Dependencies;

  constructor(options: EngineOptions, tally: Tally) {
    this.#options = options;
    this.#ledger = options.ledger;
    this.#tally = tally;
    this.#dependencies = new Dependencies(options.ledger);
    this.#templates = new TemplateDesk(options.ledger, {
      check: (said) => assertTaken(this.#draft(said)),
      send: (said) => this.#enter(this.#draft(said)),
      json: (state) => this.#json(state),
      queueOf: (recipient) => this.#queueOf(recipient),
      fingerprint: options.fingerprint,
    });
  }

  get head(): number {
    return this.#tally.head;
  }

  get counts(): Readonly<Counts> {
    return this.#tally.counts;
  }

  waiting(recipient: string): number {
    return this.#tally.waiting.get(recipient) ?? 0;
  }

  /** Starts over from what the tables hold, after a transaction that did not commit. */
  reset(tally: Tally): void {
    this.#tally = tally;
    this.#dependencies = new Dependencies(this.#ledger);
  }

  /** Executes a batch inside the caller's transaction. */
  execute(commands: readonly StoreCommand[], now: number): CommitResult {
    this.#now = now;
    this.#entries = [];
    this.#chars = 0;
    this.#oldest.clear();
    const outcomes = commands.map((command) => this.#executeOne(command));
    if (this.#dependencies.isBehind) this.#settle();
    if (this.#entries.length > 0) this.#ledger.saveCounts(this.#tally.counts);
    const wakeAt = this.#dependencies.isBehind ? now : this.#ledger.earliestWake();
    return { outcomes, entries: this.#entries, wakeAt };
  }

  #settle(): void {
    this.#dependencies.settle((before, decision) => this.#apply(before, decision), this.#circumstances(HUB));
  }

  #executeOne(command: StoreCommand): Outcome {
    if (this.#chars > BATCH_CHARS && ASKED.has(command.op)) return OVERLOADED;
    try {
      return (this.#handlers[command.op] as Handler<StoreCommand["op"]>)(command);
    } catch (error) {
      if (!(error instanceof HubError)) throw error;
      if (command.op === "change") this.#keepLate(command);
      return { ok: false, error: error.toWire() };
    }
  }

  readonly #handlers: { [Op in StoreCommand["op"]]: Handler<Op> } = {
    send: (command) => this.#send(command),
    send_template: (command) => this.#templates.send(command, this.#now),
    template_put: (command) => this.#templates.put(command, iso(this.#now)),
    template_delete: (command) => this.#templates.remove(command),
    change: ({ id, caller, command }) => {
      const state = this.#existing(id);
      if (command.op === "retry" && state.after) return this.#retryWaiting(state, caller);
      return this.#done(this.#apply(state, decide(state, command, this.#circumstances(caller))));
    },
    claim_next: (command) => this.#claimNext(command),
    delete: ({ id, caller }) => {
      const state = this.#existing(id);
      this.#apply(state, decideDelete(caller.claude_id));
      return NOTHING;
    },
    delivered: ({ ids, claude_id }) => this.#delivered(ids, claude_id),
    lapse: ({ holder, until }) => this.#moveLeases(holder, (state) => state.lease_until ?? until),
    keep: ({ holder }) => this.#moveLeases(holder, () => null),
    lengthen: ({ claude_id, until }) =>
      this.#moveLeases({ claude_id, run: null }, (state) => Math.max(state.lease_until ?? 0, until)),
    lift: ({ chain_id, hops }) => ({ ok: true, message: lift(this.#ledger, chain_id, this.#options.bounds, hops) }),
    wake: () => this.#wake(),
    probe: () => {
      this.#ledger.probe(this.#now);
      return NOTHING;
    },
    prune: (command) => {
      const remove = (state: MessageState) => void this.#apply(state, decideDelete(HUB.claude_id));
      const report = prune(command, { tables: this.#ledger.retention, now: this.#now, remove });
      return { ok: true, message: JSON.stringify(report) };
    },
    presence: ({ transitions }) => {
      this.#ledger.recordPresence(transitions);
      return NOTHING;
    },
    put_schedule: (command) => this.#schedule(command),
    delete_schedule: (command) => this.#schedule(command),
    fire: (command) => this.#schedule(command),
  };

  #send({ said, key }: Extract<StoreCommand, { op: "send" }>): Outcome {
    const draft = this.#draft(said);
    if (key !== undefined) {
      const fingerprint = this.#options.fingerprint(JSON.stringify({ ...said, type: said.type ?? "task" }));
      const known = draft.refusal
        ? this.#ledger.recall(said.from_claude, key) // a repeat sends nothing new
        : this.#ledger.remember(said.from_claude, key, { id: draft.id, fingerprint }, this.#now);
      if (known) return this.#sentBefore(known.id, known.fingerprint === fingerprint, said);
    }
    assertTaken(draft);
    return { ...this.#done(this.#enter(draft)), deduplicated: false, ...this.#queueOf(said.to_claude) };
  }

  #draft(said: NewMessage): Draft {
    const { newId, lease, bounds } = this.#options;
    const judges = { ledger: this.#ledger, dependencies: this.#dependencies, backlog: this.#tally.backlog };
    return draft(said, newId(this.#now), { ...judges, bounds, lease, now: this.#now });
  }

  #enter({ decision, obstacles }: Draft): MessageState {
    return this.#begin(this.#apply(undefined, decision), obstacles);
  }

  /** Lets a new task wait for what is in its way, or fails it at once where that is in vain. */
  #begin(state: MessageState, { open, failed }: Obstacles): MessageState {
    if (failed !== undefined) return this.#apply(state, doomed(state, failed, this.#circumstances(HUB)));
    this.#ledger.waits.add(state.id, open);
    return state;
  }

  #retryWaiting(state: MessageState, caller: Caller): Outcome {
    const after = (state.after as readonly string[]).filter((id) => this.#ledger.message(id));
    const obstacles = this.#dependencies.obstacles(after);
    const { open, failed } = obstacles;
    const decision = decide(state, { op: "retry", blocked: open.length }, this.#circumstances(caller));
    if (failed !== undefined) {
      throw new HubError("wrong_status", `Task waits for ${failed}, which has failed: retry that first`, {
        id: state.id,
        status: state.status,
        waits_for: failed,
      });
    }
    return this.#done(this.#begin(this.#apply(state, decision), obstacles));
  }

  #sentBefore(id: string, same: boolean, said: { from_claude: string; to_claude: string; type?: string | undefined }) {
    if (!same) {
      throw new HubError("idempotency_conflict", "This idempotency key was used for another message", { id });
    }
    const state = this.#ledger.message(id);
    const message = state
      ? this.#json(state)
      : tombstoneJson(id, said.from_claude, said.to_claude, said.type ?? "task");
    return { ok: true as const, message, deduplicated: true, ...this.#queueOf(said.to_claude) };
  }

  #queueOf(recipient: string) {
    const waiting = this.waiting(recipient);
    return { waiting, oldest: waiting === 0 ? null : this.#oldestWaiting(recipient) };
  }

  /** Looked up once a batch, unless one that waited goes. */
  #oldestWaiting(recipient: string): string | null {
    const known = this.#oldest.get(recipient);
    if (known !== undefined) return known;
    const oldest = this.#ledger.oldestWaiting(recipient);
    if (oldest !== null) this.#oldest.set(recipient, oldest);
    return oldest;
  }

  #claimNext({ caller, queues, claim_key }: Extract<StoreCommand, { op: "claim_next" }>): Outcome {
    if (claim_key !== undefined) {
      const holder = { claude_id: caller.claude_id ?? (queues[0] as string), run: caller.run };
      const before = this.#ledger.claimedWith(holder, claim_key);
      if (before) return this.#done(before);
    }
    const state = this.#next(queues);
    if (!state) return NOTHING;
    return this.#done(this.#apply(state, decide(state, { op: "claim", claim_key }, this.#circumstances(caller))));
  }

  /** The first of several queues' first tasks. */
  #next(queues: readonly string[]): MessageState | undefined {
    let first: MessageState | undefined;
    for (const queue of queues) {
      const next = this.#ledger.next(queue);
      if (next && (!first || goesBefore(next, first))) first = next;
    }
    return first;
  }

  #schedule(command: ScheduleCommand): Outcome {
    const send = (said: NewMessage) => {
      const caller = { ...HUB, claude_id: said.from_claude };
      const { message } = this.#send({ op: "send", caller, said }) as { message: string };
      return (JSON.parse(message) as { id: string }).id;
    };
    const around = { table: this.#ledger.schedules, message: (id: string) => this.#ledger.message(id), send };
    const json = executeSchedule(command, around, this.#now);
    this.#chars += json?.length ?? 0;
    return { ok: true, message: json };
  }

  #delivered(ids: readonly string[], claudeId: string): Outcome {
    for (const id of ids) {
      const state = this.#ledger.message(id);
      if (state) this.#apply(state, decideDelivered(state, claudeId, this.#now));
    }
    return NOTHING;
  }

  /** A refused outcome of a holder whose time was over is not thrown away. */
  #keepLate({ id, caller, command }: Extract<StoreCommand, { op: "change" }>): void {
    if (command.op !== "complete" && command.op !== "fail") return;
    const state = this.#ledger.message(id);
    if (!state || state.type === "chat") return;
    const attempt = lateAttempt(this.#ledger.attempts(id), state, command.attempt, caller);
    if (!attempt) return;
    this.#ledger.recordAttempt(id, { ...attempt, late: true });
    this.#apply(state, decideLate(state, command, attempt));
  }

  /** Moves leases silently: no event tells of it, and no seq is used. */
  #moveLeases(holder: HolderKey | undefined, leaseUntil: (state: MessageState) => number | null): Outcome {
    for (const state of this.#ledger.held(holder)) this.#ledger.update(withLease(state, leaseUntil(state)));
    return NOTHING;
  }

  #wake(): Outcome {
    const circumstances = this.#circumstances(HUB);
    for (const state of this.#ledger.due(this.#now, WAKE_BATCH)) {
      this.#apply(state, decide(state, { op: "wake" }, circumstances));
    }
    return NOTHING;
  }

  /** Writes what was decided; returns the message as it is now, or as it last was. */
  #apply(before: MessageState | undefined, { next, events }: Decision): MessageState {
    if (next === before && before) return before;
    const after: Stamped = next ?? { ...(before as MessageState) };
    if (events.length > 0) {
      after.updated_at = this.#now;
      after.seq = this.#tally.head + events.length;
    }
    for (const [i, draft] of events.entries()) this.#append(draft, before, after, i === events.length - 1);
    if (next === null) this.#ledger.remove(after);
    else if (before) this.#ledger.update(after);
    else this.#ledger.insert(after);
    const attempt = next && endedAttempt(before, after, events, this.#now);
    if (attempt) this.#ledger.recordAttempt(after.id, attempt);
    if (before) this.#dependencies.observe(before, after.id, next);
    this.#count(before, next);
    return after;
  }

  #append(draft: EventDraft, before: MessageState | undefined, state: MessageState, last: boolean): void {
    const seq = ++this.#tally.head;
    const waited = before?.status === "pending";
    const head = envelope(seq, draft, state, { now: this.#now, graceMs: this.#options.lease.graceMs, waited });
    const bodies = bodiesOf(draft, state);
    const { id, from_claude: from, to_claude: to } = state;
    const own = BODIES[draft.kind] === "own" && bodies !== "" ? bodies : null;
    this.#ledger.append({ seq, kind: draft.kind, id, from, to, envelope: head, bodies: own });
    const json = assemble(head, bodies);
    this.#chars += json.length;
    const claimable = last && draft.kind !== "deleted" && state.claim_rank !== null;
    this.#entries.push({
      seq,
      kind: draft.kind,
      id,
      from,
      to,
      claimable,
      json,
      bodiesAt: head.length,
    });
  }

  #count(before: MessageState | undefined, after: MessageState | null): void {
    this.#tally.backlog.moved(before, after);
    if (before?.status === after?.status) return;
    if (before) this.#tallyStatus(before, -1);
    if (after) this.#tallyStatus(after, 1);
    if (before && after?.status === "pending") this.#oldest.delete(after.to_claude); // it may have come long ago
  }

  #tallyStatus({ status, to_claude }: MessageState, by: 1 | -1): void {
    this.#tally.counts[status] += by;
    if (status !== "pending") return;
    if (by < 0) this.#oldest.delete(to_claude);
    const waiting = this.waiting(to_claude) + by;
    if (waiting === 0) this.#tally.waiting.delete(to_claude);
    else this.#tally.waiting.set(to_claude, waiting);
  }

  #existing(id: string): MessageState {
    const state = this.#ledger.message(id);
    if (!state) throw new HubError("not_found", "Message not found", { id });
    return state;
  }

  #circumstances(caller: Caller): Circumstances {
    return { caller, now: this.#now, random: this.#options.random, lease: this.#options.lease };
  }

  #json(state: MessageState): string {
    const json = messageJson(state, this.#now, this.#options.lease.graceMs);
    this.#chars += json.length;
    return json;
  }

  #done(state: MessageState) {
    return { ok: true as const, message: this.#json(state) };
  }
}

/** In claim order; of equals, the one that came first. */
const goesBefore = (a: MessageState, b: MessageState) =>
  (a.claim_rank as number) - (b.claim_rank as number) < 0 || (a.claim_rank === b.claim_rank && a.id < b.id);

function assertTaken({ refusal }: Draft): void {
  if (refusal) throw refusal;
}

const NOTHING: Outcome = { ok: true, message: null };
const OVERLOADED: Outcome = {
  ok: false,
  error: { code: "too_many_requests", message: "The hub has too much to say at once: repeat in a moment" },
};
