/** The ledger in memory: the same answers as SQLite's, found by looking at everything. For tests. */

import { isTimed } from "../../../../server/core/deadlines.ts";
import type { Attempt, MessageState } from "../../../../server/core/message.ts";
import { iso } from "../../../../server/iso.ts";
import type {
  ClockTable,
  HolderKey,
  Ledger,
  RememberedKey,
  StoredEntry,
  WaitTable,
} from "../../../../server/store/engine/ledger.ts";
import type { PresenceTransition } from "../../../../server/store/storeCommands.ts";
import { LIMITS } from "../../../../shared/limits.ts";
import { MemoryPresence } from "./memoryPresence.ts";
import { MemoryReceipts } from "./memoryReceipts.ts";
import { MemoryRetention } from "./memoryRetention.ts";
import { MemorySchedules } from "./memorySchedules.ts";
import { MemoryTemplates } from "./memoryTemplates.ts";

class MemoryWaits implements WaitTable {
  readonly #awaited = new Map<string, Set<string>>();

  get any() {
    return this.#awaited.size > 0;
  }

  add(id: string, awaited: readonly string[]) {
    if (awaited.length > 0) this.#awaited.set(id, new Set(awaited));
  }

  drop(id: string) {
    this.#awaited.delete(id);
  }

  count(awaited: string) {
    return [...this.#awaited.values()].filter((all) => all.has(awaited)).length;
  }

  take(awaited: string) {
    const waiters = [...this.#awaited].filter(([, all]) => all.delete(awaited)).map(([id]) => id);
    for (const id of waiters) if (this.#awaited.get(id)?.size === 0) this.#awaited.delete(id);
    return waiters.sort();
  }

  awaited() {
    return [...new Set([...this.#awaited.values()].flatMap((all) => [...all]))];
  }
}

class MemoryClock implements ClockTable {
  readonly #messages: ReadonlyMap<string, MessageState>;
  #noted: number | null = null;

  constructor(messages: ReadonlyMap<string, MessageState>) {
    this.#messages = messages;
  }

  noted() {
    return this.#noted;
  }

  note(now: number) {
    this.#noted = now;
  }

  get timed() {
    return new Set([...this.#messages.values()].filter(isTimed).map(({ id }) => id));
  }
}

export class MemoryLedger implements Ledger {
  /** In the order of arrival. */
  readonly messages = new Map<string, MessageState>();
  /** The place of each message in that order, which nobody takes after it. */
  readonly places = new Map<string, number>();
  readonly log: StoredEntry[] = [];
  readonly waits = new MemoryWaits();
  readonly templates = new MemoryTemplates();
  readonly clock = new MemoryClock(this.messages);
  readonly presence = new MemoryPresence();
  readonly receipts = new MemoryReceipts(this.presence.known);
  readonly #attempts = new Map<string, Map<number, Attempt>>();
  readonly schedules = new MemorySchedules();
  readonly keys = new Map<string, RememberedKey>();
  readonly retention = new MemoryRetention(this);
  readonly #lifted = new Map<string, number>();
  #lastPlace = 0;

  message(id: string) {
    return this.messages.get(id);
  }

  insert(state: MessageState) {
    this.messages.set(state.id, state);
    this.places.set(state.id, ++this.#lastPlace);
  }

  update(state: MessageState) {
    this.messages.set(state.id, state);
  }

  remove(state: MessageState) {
    this.messages.delete(state.id);
    this.places.delete(state.id);
    this.#attempts.delete(state.id);
    this.receipts.forget(state.id);
    for (const entry of this.log) if (entry.id === state.id) entry.bodies = null;
  }

  recordAttempt(id: string, attempt: Attempt) {
    const known = this.#attempts.get(id) ?? new Map<number, Attempt>();
    this.#attempts.set(id, known.set(attempt.attempt, attempt));
    for (const earlier of known.keys()) if (earlier <= attempt.attempt - LIMITS.attempts) known.delete(earlier);
  }

  attempts(id: string) {
    return [...(this.#attempts.get(id)?.values() ?? [])].sort((a, b) => a.attempt - b.attempt);
  }

  append(entry: StoredEntry) {
    this.log.push({ ...entry });
  }

  remember(sender: string, key: string, value: RememberedKey) {
    const known = this.keys.get(`${sender} ${key}`);
    if (!known) this.keys.set(`${sender} ${key}`, value);
    return known;
  }

  recall(sender: string, key: string) {
    return this.keys.get(`${sender} ${key}`);
  }

  hopsOf(chainId: string) {
    const hops = this.#find((m) => m.chain_id === chainId).map((m) => m.hops as number);
    return hops.length === 0 ? undefined : Math.max(...hops);
  }

  liftedTo(chainId: string) {
    return this.#lifted.get(chainId);
  }

  lift(chainId: string, hops: number) {
    this.#lifted.set(chainId, hops);
  }

  next(recipient: string) {
    const claimable = this.#find((m) => m.to_claude === recipient && m.claim_rank !== null);
    return claimable.sort((a, b) => (a.claim_rank as number) - (b.claim_rank as number))[0];
  }

  claimedWith(holder: HolderKey, claimKey: string) {
    return this.#held(holder).find((m) => m.claim_key === claimKey);
  }

  held(holder?: HolderKey) {
    return this.#held(holder).map(({ id }) => id);
  }

  due(now: number, limit: number) {
    const due = this.#find((m) => m.wake_at !== null && m.wake_at <= now);
    due.sort((a, b) => (a.wake_at as number) - (b.wake_at as number));
    return due.slice(0, limit).map(({ id }) => id);
  }

  earliestWake() {
    const times = this.#find((m) => m.wake_at !== null).map((m) => m.wake_at as number);
    return times.length === 0 ? null : Math.min(...times);
  }

  oldestWaiting(recipient: string) {
    const oldest = this.#find((m) => m.status === "pending" && m.to_claude === recipient)[0];
    return oldest ? iso(oldest.created_at) : null;
  }

  probe() {
    // memory can always be written
  }

  recordPresence(transitions: readonly PresenceTransition[]) {
    this.presence.record(transitions);
  }

  seal() {
    // counts are the engine's own here
  }

  #held(holder?: HolderKey) {
    const held = this.#find((m) => m.status === "in_progress" && m.type === "task");
    if (!holder) return held.filter((m) => m.claimed_run !== null);
    return held.filter((m) => m.claimed_by === holder.claude_id && m.claimed_run === holder.run);
  }

  #find(matches: (state: MessageState) => boolean) {
    return [...this.messages.values()].filter(matches);
  }
}
