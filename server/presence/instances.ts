/**
 * Who is there: one record an instance, fed by connections and heartbeats.
 *
 * States: `online` (a living connection, or a fresh heartbeat), `stale` (the heartbeat is overdue), `offline`.
 * A connection that breaks leaves a while for coming back; one that says goodbye does not. Identity is not a
 * connection: an instance may hold several.
 *
 * Every state but `offline` without a connection ends at `deadline`, or earlier where there are too many; a sweep looks
 * once a second. Deadlines and gaps are of the clock of what the hub lived through, what presence shows is of the
 * calendar's.
 */

import { LIVENESS } from "../../shared/defaults.ts";
import { LIMITS } from "../../shared/limits.ts";
import type { About, ClientInfo, PresenceState } from "../../shared/presence.ts";
import type { Moment } from "../clock.ts";
import type { KnownInstance, PresenceTransition } from "../store/store.ts";
import { SortedNames } from "./sortedNames.ts";

export interface Connection {
  readonly transport: "websocket" | "long_poll" | "sse";
  readonly run: string | null;
  readonly client?: ClientInfo | undefined;
  readonly about?: About | undefined;
}

export interface InstanceRecord {
  readonly claude_id: string;
  state: PresenceState;
  since: number;
  last_seen: number;
  readonly connections: Set<Connection>;
  about: About | undefined;
  /** When it stops being what it is, without a connection; null with one, or when offline. */
  deadline: number | null;
  /** Recent gaps between heartbeats, ms. */
  gaps: number[];
  beatAt: number | null;
}

const GAPS_KEPT = 5;
const FRESH_INTERVALS = 2.5;

export class Instances {
  readonly #records = new Map<string, InstanceRecord>();
  readonly #names = new SortedNames();
  /** Those with a deadline. */
  readonly #leaving = new Set<InstanceRecord>();
  readonly #changed: (record: InstanceRecord, transition: PresenceTransition | null) => void;

  /** How long an instance whose last connection broke may stay away before it is offline. */
  readonly #leaveMs: number;

  /** @param changed told of everything that presence shows; with the transition where the state moved. */
  constructor(
    changed: (record: InstanceRecord, transition: PresenceTransition | null) => void,
    leaveMs: number = LIVENESS.leave_ms,
  ) {
    this.#leaveMs = leaveMs;
    this.#changed = changed;
  }

  get(claudeId: string): InstanceRecord | undefined {
    return this.#records.get(claudeId);
  }

  all(): Iterable<InstanceRecord> {
    return this.#records.values();
  }

  /** The first `limit` of those whose names come after one. */
  after(name: string, limit: number): InstanceRecord[] {
    return this.#names.after(name, limit).map((one) => this.#records.get(one) as InstanceRecord);
  }

  get count(): number {
    return this.#records.size;
  }

  /** Whether anybody is offline who was last seen before. */
  isAnyGone(before: number): boolean {
    for (const { state, last_seen } of this.#records.values())
      if (state === "offline" && last_seen < before) return true;
    return false;
  }

  /** @returns whether it was there to forget, and offline. */
  forget(claudeId: string): boolean {
    if (this.#records.get(claudeId)?.state !== "offline") return false;
    this.#names.delete(claudeId);
    return this.#records.delete(claudeId);
  }

  get online(): number {
    return this.#countOf("online");
  }

  /**
   * Takes over who was known before a restart. Those who were there have `graceMs` to come back unnoticed; those who
   * beat, until their next heartbeat is overdue, as if they had beaten just now.
   */
  restore(known: readonly KnownInstance[], awake: number, graceMs: number): void {
    for (const { claude_id, state, since, last_seen, beat_ms } of known) {
      const record = this.#add(claude_id, state, since, last_seen);
      if (state === "offline") continue;
      if (beat_ms !== null) Object.assign(record, { beatAt: awake, gaps: [beat_ms] });
      this.#setDeadline(record, Math.max(awake + graceMs, freshUntil(record)));
    }
  }

  connect(claudeId: string, connection: Connection, now: number): void {
    const record = this.#records.get(claudeId) ?? this.#add(claudeId, "offline", now, now);
    record.connections.add(connection);
    record.last_seen = now;
    record.about = connection.about ?? record.about;
    this.#setDeadline(record, null);
    this.#move(record, "online", now, true);
  }

  /** @param goodbye whether the client said so; then it is gone at once. */
  disconnect(claudeId: string, connection: Connection, goodbye: boolean, { now, awake }: Moment): void {
    const record = this.#records.get(claudeId);
    if (!record?.connections.delete(connection)) return;
    record.last_seen = now;
    if (record.connections.size > 0) {
      this.#changed(record, null);
      return;
    }
    const fresh = freshUntil(record);
    if (goodbye && fresh <= awake) {
      this.#setDeadline(record, null);
      this.#move(record, "offline", now);
    } else {
      this.#setDeadline(record, Math.max(fresh, awake + this.#leaveMs));
      this.#changed(record, null);
    }
  }

  /**
   * @param intervalMs when the next one is to be expected, where the client names it.
   * @returns the same as far as it is known, else 0.
   */
  beat(claudeId: string, intervalMs: number | undefined, { now, awake }: Moment, about?: About): number {
    const record = this.#records.get(claudeId) ?? this.#add(claudeId, "offline", now, now);
    noteGap(record, intervalMs, awake);
    record.last_seen = now;
    record.about = about ?? record.about;
    if (record.connections.size === 0) this.#setDeadline(record, freshUntil(record));
    this.#move(record, "online", now);
    return intervalOf(record);
  }

  /** A request of its came: it is known from then on, but not there. @returns whether it was known, and away. */
  heard(claudeId: string, now: number, about?: About): boolean {
    const known = this.#records.get(claudeId);
    const record = known ?? this.#add(claudeId, "offline", now, now);
    record.last_seen = now;
    record.about = about ?? record.about;
    if (!known) this.#changed(record, { claude_id: claudeId, state: "offline", at: now });
    return known?.state === "offline";
  }

  /** Moves on whoever's time is over, and those of too many who have no connection. */
  sweep({ now, awake }: Moment): void {
    for (const record of this.#leaving) {
      if (record.deadline === null || record.deadline > awake) continue;
      const overdue = record.state === "online" && record.deadline === freshUntil(record); // its heartbeat held it last
      this.#setDeadline(record, overdue ? awake + LIVENESS.stale_ms : null);
      this.#move(record, overdue ? "stale" : "offline", now);
    }
    if (this.count > LIMITS.instances) this.#letGo(this.count - LIMITS.instances - this.#countOf("offline"), now);
  }

  /** Whoever was seen longest ago is offline, however fresh its heartbeat is: then it can be forgotten. */
  #letGo(surplus: number, now: number): void {
    const leaving = [...this.#leaving].sort((a, b) => a.last_seen - b.last_seen);
    for (const record of leaving.slice(0, Math.max(0, surplus))) {
      this.#setDeadline(record, null);
      this.#move(record, "offline", now);
    }
  }

  #countOf(state: PresenceState): number {
    let count = 0;
    for (const record of this.#records.values()) if (record.state === state) count++;
    return count;
  }

  #add(claude_id: string, state: PresenceState, since: number, last_seen: number): InstanceRecord {
    const record: InstanceRecord = {
      claude_id,
      state,
      since,
      last_seen,
      connections: new Set(),
      about: undefined,
      deadline: null,
      gaps: [],
      beatAt: null,
    };
    this.#records.set(claude_id, record);
    this.#names.add(claude_id);
    return record;
  }

  #setDeadline(record: InstanceRecord, deadline: number | null): void {
    record.deadline = deadline;
    if (deadline === null) this.#leaving.delete(record);
    else this.#leaving.add(record);
  }

  #move(record: InstanceRecord, state: PresenceState, at: number, shows = false): void {
    if (record.state === state) {
      if (shows) this.#changed(record, null);
      return;
    }
    if (state === "offline") Object.assign(record, { beatAt: null, gaps: [] });
    record.state = state;
    record.since = at;
    const { claude_id, last_seen: seen } = record;
    this.#changed(record, { claude_id, state, at, ...(seen !== at && { seen }) });
  }
}

function noteGap(record: InstanceRecord, intervalMs: number | undefined, awake: number): void {
  if (intervalMs !== undefined) record.gaps = [intervalMs];
  else if (record.beatAt !== null) record.gaps = [...record.gaps, awake - record.beatAt].slice(-GAPS_KEPT);
  record.beatAt = awake;
}

/** Until when the last heartbeat counts: two and a half intervals, the largest recent gap being one. */
function freshUntil({ beatAt, gaps }: InstanceRecord): number {
  if (beatAt === null) return Number.NEGATIVE_INFINITY;
  return beatAt + Math.max(LIVENESS.fresh_min_ms, FRESH_INTERVALS * intervalOf({ gaps }));
}

const intervalOf = ({ gaps }: Pick<InstanceRecord, "gaps">) =>
  Math.min(LIVENESS.longest_interval_ms, Math.max(0, ...gaps));
