/** The ledger in memory: the same answers as SQLite's, found by looking at everything. For tests. */
import type { MessageState } from "../../core/message.ts";
import type { HolderKey, Ledger, RememberedKey, StoredEntry } from "../ledger.ts";
import { iso } from "../messageJson.ts";
import type { PresenceTransition } from "../store.ts";
import { MemoryTemplates } from "./memoryTemplates.ts";

export class MemoryLedger implements Ledger {
  /** In the order of arrival. */
  readonly messages = new Map<string, MessageState>();
  /** The place of each message in that order, which nobody takes after it. */
  readonly places = new Map<string, number>();
  readonly log: StoredEntry[] = [];
  readonly templates = new MemoryTemplates();
  readonly presence: PresenceTransition[] = [];
  readonly #keys = new Map<string, RememberedKey>();
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
    for (const entry of this.log) if (entry.id === state.id) entry.bodies = null;
  }

  append(entry: StoredEntry) {
    this.log.push({ ...entry });
  }

  remember(sender: string, key: string, value: RememberedKey) {
    const known = this.#keys.get(`${sender} ${key}`);
    if (!known) this.#keys.set(`${sender} ${key}`, value);
    return known;
  }

  recall(sender: string, key: string) {
    return this.#keys.get(`${sender} ${key}`);
  }

  next(recipient: string) {
    const claimable = this.#find((m) => m.to_claude === recipient && m.claim_rank !== null);
    return claimable.sort((a, b) => (a.claim_rank as number) - (b.claim_rank as number))[0];
  }

  claimedWith(holder: HolderKey, claimKey: string) {
    return this.held(holder).find((m) => m.claim_key === claimKey);
  }

  held(holder?: HolderKey) {
    const held = this.#find((m) => m.status === "in_progress" && m.type === "task");
    if (!holder) return held.filter((m) => m.claimed_run !== null);
    return held.filter((m) => m.claimed_by === holder.claude_id && m.claimed_run === holder.run);
  }

  due(now: number, limit: number) {
    const due = this.#find((m) => m.wake_at !== null && m.wake_at <= now);
    return due.sort((a, b) => (a.wake_at as number) - (b.wake_at as number)).slice(0, limit);
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
    this.presence.push(...transitions);
  }

  saveCounts() {
    // counts are the engine's own here
  }

  #find(matches: (state: MessageState) => boolean) {
    return [...this.messages.values()].filter(matches);
  }
}
