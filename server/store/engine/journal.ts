/**
 * Writes what was decided: into the ledger as the message's row, its log entries and the record of a try that ended, and
 * into the tallies that are kept in memory.
 *
 * Invariants: seqs are handed out without gaps, in the order of writing. Counts always equal what a scan of the tables
 * would give.
 */
import type { HubError } from "../../../shared/errors.ts";
import type { Bounds } from "../../../shared/limits.ts";
import { endedAttempt } from "../../core/attempts.ts";
import type { Decision, EventDraft } from "../../core/decision.ts";
import type { MessageState } from "../../core/message.ts";
import { iso } from "../../iso.ts";
import { assemble, BODIES, bodiesOf, envelope } from "../json/eventJson.ts";
import { messageJson } from "../json/messageJson.ts";
import type { Counts, LogEntry } from "../store.ts";
import type { Backlog } from "./backlog.ts";
import type { Ledger } from "./ledger.ts";

/** What is kept in memory, read from the tables when they are opened. */
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

/** Told of each message that was written: as it was before, and as it is now (null: deleted). */
type Observe = (before: MessageState, id: string, after: MessageState | null) => void;

export class Journal {
  readonly #ledger: Ledger;
  readonly #graceMs: number;
  readonly #observe: Observe;
  #tally: Tally;
  #now = 0;
  #entries: LogEntry[] = [];
  #chars = 0;
  /** Since when the first message for a recipient waits, as far as this batch knows. */
  readonly #oldest = new Map<string, string>();

  constructor(ledger: Ledger, graceMs: number, tally: Tally, observe: Observe) {
    this.#ledger = ledger;
    this.#graceMs = graceMs;
    this.#tally = tally;
    this.#observe = observe;
  }

  /** Starts over from what the tables hold. */
  reset(tally: Tally): void {
    this.#tally = tally;
  }

  /** A batch begins. */
  open(now: number): void {
    this.#now = now;
    this.#entries = [];
    this.#chars = 0;
    this.#oldest.clear();
  }

  /** The batch is over. @returns its log entries. */
  close(): LogEntry[] {
    if (this.#entries.length > 0) this.#ledger.seal(this.#tally.counts);
    return this.#entries;
  }

  get head(): number {
    return this.#tally.head;
  }

  get counts(): Readonly<Counts> {
    return this.#tally.counts;
  }

  /** Why a message may not be sent now, because too many wait already. */
  refusal(said: Pick<MessageState, "from_claude" | "to_claude">, bounds: Bounds): HubError | undefined {
    const pending = { own: this.waiting(said.to_claude), all: this.counts.pending };
    return this.#tally.backlog.refusal(said, bounds, pending);
  }

  /** What the batch has to say so far, in characters. */
  get chars(): number {
    return this.#chars;
  }

  /** Counts what an answer says. */
  say(json: string): string {
    this.#chars += json.length;
    return json;
  }

  /** The message as an answer says it. */
  json(state: MessageState): string {
    return this.say(messageJson(state, this.#now, this.#graceMs));
  }

  waiting(recipient: string): number {
    return this.#tally.waiting.get(recipient) ?? 0;
  }

  /** How many messages wait for a recipient, and since when. */
  queueOf(recipient: string) {
    const waiting = this.waiting(recipient);
    return { waiting, oldest: waiting === 0 ? null : this.#oldestWaiting(recipient) };
  }

  /** Looked up once per batch, unless a waiting message goes. */
  #oldestWaiting(recipient: string): string | null {
    const known = this.#oldest.get(recipient);
    if (known !== undefined) return known;
    const oldest = this.#ledger.oldestWaiting(recipient);
    if (oldest !== null) this.#oldest.set(recipient, oldest);
    return oldest;
  }

  /** Writes what was decided; returns the message as it is now, or as it last was. */
  apply(before: MessageState | undefined, { next, events }: Decision): MessageState {
    if (next === before && before) return before;
    const after: Stamped = next ?? { ...(before as MessageState) };
    if (events.length > 0) {
      after.updated_at = this.#now;
      after.seq = this.#tally.head + events.length;
    }
    this.#count(before, next);
    for (const [i, draft] of events.entries()) this.#append(draft, before, after, i === events.length - 1);
    if (next === null) this.#ledger.remove(after);
    else if (before) this.#ledger.update(after);
    else this.#ledger.insert(after);
    const attempt = next && endedAttempt(before, after, events, this.#now);
    if (attempt) this.#ledger.recordAttempt(after.id, attempt);
    if (before) this.#observe(before, after.id, next);
    return after;
  }

  /** One more awaited recipient has a chat to everyone. */
  delivered(state: MessageState): void {
    this.#tally.backlog.delivered(state);
  }

  /** Tells only the sender of what changes nothing of the message itself. */
  tellSender(draft: EventDraft, state: MessageState): void {
    this.#append(draft, state, state, false, state.from_claude);
  }

  /** @param to whose event it is, if not everyone who may see the message may see it. */
  #append(
    draft: EventDraft,
    before: MessageState | undefined,
    state: MessageState,
    last: boolean,
    to = state.to_claude,
  ): void {
    const seq = ++this.#tally.head;
    const waited = before?.status === "pending";
    const head = envelope(seq, draft, state, { now: this.#now, graceMs: this.#graceMs, waited });
    const bodies = bodiesOf(draft, state);
    const { id, from_claude: from } = state;
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

  #tallyStatus({ status, to_claude, created_at }: MessageState, by: 1 | -1): void {
    this.#tally.counts[status] += by;
    if (status !== "pending") return;
    if (by < 0) this.#oldest.delete(to_claude);
    const waiting = this.waiting(to_claude) + by;
    if (waiting === 0) this.#tally.waiting.delete(to_claude);
    else this.#tally.waiting.set(to_claude, waiting);
    if (by > 0 && waiting === 1) this.#oldest.set(to_claude, iso(created_at));
  }
}
