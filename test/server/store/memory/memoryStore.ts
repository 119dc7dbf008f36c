/** A store that forgets when the process ends. For tests, and as the plainest statement of the contract. */

import type { Moment } from "../../../../server/clock.ts";
import type { LeasePolicy, MessageState } from "../../../../server/core/message.ts";
import { isReady } from "../../../../server/core/readiness.ts";
import { standing } from "../../../../server/core/receipt.ts";
import type { Reader } from "../../../../server/core/view.ts";
import { viewOf } from "../../../../server/core/view.ts";
import { Backlog, type BacklogCounts } from "../../../../server/store/engine/backlog.ts";
import { Engine } from "../../../../server/store/engine/engine.ts";
import type { StoredEntry } from "../../../../server/store/engine/ledger.ts";
import { checkWhole } from "../../../../server/store/engine/templates/whole.ts";
import { prunedPast } from "../../../../server/store/floor.ts";
import { attemptsJson } from "../../../../server/store/json/attemptsJson.ts";
import { assemble, BODIES, replayedBodies } from "../../../../server/store/json/eventJson.ts";
import { leaseState, messageJson } from "../../../../server/store/json/messageJson.ts";
import { receiptsJson } from "../../../../server/store/json/receiptsJson.ts";
import { scheduleJson, scheduleSlice } from "../../../../server/store/json/scheduleJson.ts";
import { type ListCursor, listStart } from "../../../../server/store/listStart.ts";
import { LogSliceMaker } from "../../../../server/store/logSlice.ts";
import type {
  ListFilter,
  LogEntry,
  LogSlice,
  MessageSlice,
  ScheduleFilter,
  Store,
  Workload,
} from "../../../../server/store/store.ts";
import type { StoreCommand } from "../../../../server/store/storeCommands.ts";
import { EVERYONE } from "../../../../shared/addressing.ts";
import { HubError } from "../../../../shared/errors.ts";
import type { EventKind } from "../../../../shared/event.ts";
import { type Bounds, LIMITS } from "../../../../shared/limits.ts";
import { MemoryLedger } from "./memoryLedger.ts";

interface MemoryStoreOptions {
  lease: LeasePolicy;
  newId: (now: number) => string;
  random: () => number;
  epoch?: string;
  bounds?: Bounds;
}

export class MemoryStore implements Store {
  readonly ledger = new MemoryLedger();
  readonly #engine: Engine;
  readonly #epoch: string;
  readonly #graceMs: number;

  constructor({ lease, newId, random, epoch = "000000000000", bounds = LIMITS }: MemoryStoreOptions) {
    this.#epoch = epoch;
    this.#graceMs = lease.graceMs;
    const counts = { pending: 0, in_progress: 0, complete: 0, failed: 0 };
    const options = {
      ledger: this.ledger,
      lease,
      newId,
      random,
      fingerprint: (text: string) => text,
      bounds,
      checkWhole,
    };
    this.#engine = new Engine(options, {
      head: 0,
      counts,
      waiting: new Map(),
      backlog: new Backlog(() => this.#countWaiting(), this.ledger.receipts),
    });
  }

  /** What counts against the bounds, found by looking at everything. */
  #countWaiting(): BacklogCounts {
    const { messages, receipts } = this.ledger;
    const waiting = [...messages.values()].filter(
      ({ id, status, type, to_claude, delivered_at }) =>
        status === "pending" &&
        (type === "task" || delivered_at === null) &&
        (to_claude !== EVERYONE || receipts.isUndelivered(id)),
    );
    return {
      recipients: countEach(waiting.map(({ to_claude }) => to_claude)),
      senders: countEach(waiting.map(({ from_claude }) => from_claude)),
    };
  }

  async open() {
    return { position: { epoch: this.#epoch, head: 0, floor: 0 }, instances: [], thereUntil: null };
  }

  async commit(commands: readonly StoreCommand[], at: Moment) {
    return this.#engine.execute(commands, at);
  }

  async get(id: string, now: number) {
    const state = this.ledger.message(id);
    return state ? messageJson(state, now, this.#graceMs) : null;
  }

  async attempts(id: string) {
    const state = this.ledger.message(id);
    return state ? attemptsJson(state, this.ledger.attempts(id)) : null;
  }

  async receipts(id: string) {
    const state = this.ledger.message(id);
    return state ? receiptsJson(state, this.ledger.receipts.all(id)) : null;
  }

  async list(filter: ListFilter, now: number): Promise<MessageSlice> {
    const places = this.#placed(filter);
    if (filter.order === "desc") places.reverse();
    const from = listStart(filter);
    const wanted = places
      .filter(({ place }) => (filter.order === "asc" ? place > from : place < from))
      .filter(({ state }) => matches(state, filter) && isHeldAs(state, filter.lease))
      .slice(filter.offset);
    const messages: string[] = [];
    let size = 0;
    for (const [i, { state }] of wanted.entries()) {
      const json = messageJson(state, now, this.#graceMs);
      size += Buffer.byteLength(json);
      if (messages.length === filter.limit || (messages.length > 0 && size > LIMITS.list_bytes)) {
        return { messages, next: `${wanted[i - 1]?.place}`, seq: this.#engine.head };
      }
      messages.push(json);
    }
    return { messages, next: null, seq: this.#engine.head };
  }

  async log(reader: Reader, after: number, maxEvents: number, maxBytes: number): Promise<LogSlice> {
    const { floor } = this.ledger.retention;
    if (after < floor) throw prunedPast(floor);
    const maySee = viewOf(reader);
    const slice = new LogSliceMaker(maxEvents, maxBytes);
    for (const stored of this.ledger.log) {
      if (stored.seq <= after || !maySee(stored)) continue;
      if (!slice.take(this.#replayed(stored))) return slice.cut();
    }
    return slice.end(this.#engine.head);
  }

  async counts() {
    return { ...this.#engine.counts };
  }

  async template(name: string) {
    const template = this.ledger.templates.get(name);
    return template ? JSON.stringify(template) : null;
  }

  async templates() {
    return this.ledger.templates.list();
  }

  async workload(names: readonly string[]): Promise<Workload[]> {
    const all = [...this.ledger.messages.values()];
    return names.map((claude_id) => ({
      claude_id,
      in_progress: all.filter(
        ({ status, type, claimed_by: by }) => status === "in_progress" && type === "task" && by === claude_id,
      ).length,
      waiting: this.#engine.waiting(claude_id),
      oldest: this.ledger.oldestWaiting(claude_id),
    }));
  }

  async schedule(name: string) {
    const state = this.ledger.schedules.get(name);
    return state ? scheduleJson(state) : null;
  }

  async schedules({ limit, next = "" }: ScheduleFilter) {
    return scheduleSlice(this.ledger.schedules.after(next), limit);
  }

  async timetable() {
    return this.ledger.schedules.timetable();
  }

  async backup(): Promise<void> {
    throw new HubError("invalid_params", "This hub keeps nothing on disk: there is nothing to back up");
  }

  async close() {
    // nothing is held
  }

  /** Everything that a list looks through, in its order. */
  #placed({ open_for }: ListFilter): { place: ListCursor; state: MessageState }[] {
    const { messages, places, receipts } = this.ledger;
    if (open_for === undefined) {
      return [...messages.values()].map((state) => ({ state, place: places.get(state.id) as number }));
    }
    const open = [...receipts.openFor(open_for)].sort(([a], [b]) => (a < b ? -1 : 1));
    return open.map(([id, receipt]) => ({ place: id, state: standing(messages.get(id) as MessageState, receipt) }));
  }

  #replayed({ seq, kind, id, from, to, envelope, bodies: own }: StoredEntry): LogEntry {
    const state = this.ledger.message(id);
    const text = replayedBodies(kind, state && heldBodies(kind, state), own);
    return { seq, kind, id, from, to, claimable: false, json: assemble(envelope, text), bodiesAt: envelope.length };
  }
}

const heldBodies = (kind: EventKind, { task, context, result, error }: MessageState) =>
  BODIES[kind] === "task" ? ([task, context] as const) : ([result, error] as const);

const matches = (state: MessageState, filter: ListFilter) =>
  (filter.delivered === undefined || (state.delivered_at !== null) === filter.delivered) &&
  (filter.ready === undefined || isReady(state) === filter.ready) &&
  (["to_claude", "from_claude", "status", "type", "thread_id", "failure", "chain_id"] as const).every(
    (field) => filter[field] === undefined || filter[field] === state[field],
  );

function countEach(names: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
}

const isHeldAs = (state: MessageState, lease: ListFilter["lease"]) =>
  lease === undefined || leaseState(state) === lease;
