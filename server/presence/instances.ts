/**
 * Who is there: one record an instance, fed by connections and heartbeats.
 *
 * States: `online` (a living connection, or a fresh heartbeat), `stale` (the heartbeat is overdue), `offline`.
 * After a connection breaks there is a while for coming back, after a goodbye there is none. Identity is not a
 * connection: an instance may hold several.
 *
 * Every state but `offline` without a connection ends at `deadline`; a sweep looks once a second. Deadlines and gaps go
 * by the time that the hub lived through, what presence shows goes by the calendar.
 *
 * No more are known than the limit, unless they have a connection. A newcomer beyond it takes the place of one who is
 * offline or, where nobody is, of one without a connection, which thereby goes offline.
 */

import { LIVENESS } from "../../shared/defaults.ts";
import { LIMITS } from "../../shared/limits.ts";
import type { About, ClientInfo, PresenceState } from "../../shared/presence.ts";
import type { Moment } from "../clock.ts";
import type { KnownInstance } from "../store/store.ts";
import type { PresenceTransition } from "../store/storeCommands.ts";
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
  /** As it was without a connection: see lastSeen. */
  last_seen: number;
  readonly connections: Set<Connection>;
  about: About | undefined;
  /** When it stops being what it is, without a connection; null with one, or when offline. */
  deadline: number | null;
  /** Recent gaps between heartbeats, ms. */
  gaps: number[];
  beatAt: number | null;
  /** When it was last noted in the history that it was heard of, and for how long that would keep it fresh. */
  beatNoted: { at: number; freshMs: number } | null;
}

/** For so long after a heartbeat that is written, others may have come that are not. */
export const BEATS_UNWRITTEN_MS = 5 * 60_000;

const GAPS_KEPT = 5;
const FRESH_INTERVALS = 2.5;

export class Instances {
  readonly #records = new Map<string, InstanceRecord>();
  readonly #names = new SortedNames();
  /** Those with a deadline, in the order in which they were last seen. */
  readonly #leaving = new Set<InstanceRecord>();
  /** Those who are offline, in the order in which they left or were last heard of. */
  readonly #gone = new Set<InstanceRecord>();
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

  /** Whether anybody who was last seen before then is offline. */
  isAnyGone(before: number): boolean {
    for (const { state, last_seen } of this.#records.values())
      if (state === "offline" && last_seen < before) return true;
    return false;
  }

  /** Forgets one who is offline. */
  forget(claudeId: string): void {
    const record = this.#records.get(claudeId);
    if (record?.state === "offline") this.#remove(record);
  }

  get online(): number {
    let online = 0;
    for (const { state } of this.#records.values()) if (state === "online") online++;
    return online;
  }

  /**
   * Takes over who was known before a restart. Those who were there have `graceMs` to come back unnoticed; those who
   * were there by heartbeats alone have until the next one is overdue, as if the hub had never been away.
   *
   * @param thereUntil until when the hub before was there.
   */
  restore(known: readonly KnownInstance[], thereUntil: number, awake: number, graceMs: number): void {
    for (const one of known.toSorted((a, b) => a.last_seen - b.last_seen)) {
      const { claude_id, state, since, last_seen, beat_ms, about } = one;
      const record = this.#add(claude_id, state, since, last_seen);
      record.about = about ?? undefined;
      if (state === "offline") continue;
      record.gaps = beat_ms === null ? [] : [beat_ms];
      const beats = state === "online" && beat_ms !== null;
      if (beats) record.beatAt = awake - Math.max(0, thereUntil - last_seen - BEATS_UNWRITTEN_MS);
      this.#setDeadline(record, beats ? freshUntil(record) : awake + graceMs);
    }
  }

  connect(claudeId: string, connection: Connection, now: number): void {
    const record = this.#see(claudeId, now, connection.about);
    record.connections.add(connection);
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

  /** @param intervalMs when the next one is to be expected, where the client names it. */
  beat(claudeId: string, intervalMs: number | undefined, { now, awake }: Moment, about?: About): InstanceRecord {
    const record = this.#see(claudeId, now, about);
    if (record.state !== "online") record.beatNoted = null; // what holds it from now on is to be written
    noteGap(record, intervalMs, awake);
    if (record.connections.size === 0) this.#setDeadline(record, freshUntil(record));
    this.#move(record, "online", now);
    return record;
  }

  /**
   * Records a request from an instance: known from now on, but not online; ignored when the table is full.
   *
   * @returns whether it was known, and offline.
   */
  heard(claudeId: string, now: number, about?: About): boolean {
    const known = this.#records.get(claudeId);
    if (!known && !this.#makeRoom(1, now)) return false;
    const record = this.#see(claudeId, now, about);
    if (!known) this.#changed(record, { claude_id: claudeId, state: "offline", at: now });
    return known?.state === "offline";
  }

  /** Changes the state of those whose time is over. */
  sweep({ now, awake }: Moment): void {
    for (const record of this.#leaving) {
      if (record.deadline === null || record.deadline > awake) continue;
      const overdue = record.state === "online" && record.deadline === freshUntil(record); // its heartbeat held it last
      this.#setDeadline(record, overdue ? awake + LIVENESS.stale_ms : null);
      this.#move(record, overdue ? "stale" : "offline", now);
    }
    this.#makeRoom(0, now);
  }

  /** Forgets instances until this many more have room. @returns whether they have: those with a connection stay. */
  #makeRoom(places: number, now: number): boolean {
    while (this.count + places > LIMITS.instances) {
      const record = first(this.#gone) ?? first(this.#leaving);
      if (!record) return false;
      this.#move(record, "offline", now);
      this.#remove(record);
    }
    return true;
  }

  #remove(record: InstanceRecord): void {
    this.#records.delete(record.claude_id);
    this.#names.delete(record.claude_id);
    this.#gone.delete(record);
    this.#leaving.delete(record);
  }

  /** Notes that an instance, which may be new, was heard of. */
  #see(claudeId: string, now: number, about: About | undefined): InstanceRecord {
    const record = this.#records.get(claudeId) ?? this.#add(claudeId, "offline", now, now);
    record.last_seen = now;
    for (const order of [this.#leaving, this.#gone]) if (order.delete(record)) order.add(record);
    if (about && JSON.stringify(about) !== JSON.stringify(record.about)) {
      record.about = about;
      this.#changed(record, { claude_id: claudeId, state: "about", at: now, about });
    }
    return record;
  }

  #add(claude_id: string, state: PresenceState, since: number, last_seen: number): InstanceRecord {
    this.#makeRoom(1, last_seen);
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
      beatNoted: null,
    };
    this.#records.set(claude_id, record);
    this.#names.add(claude_id);
    if (state === "offline") this.#gone.add(record);
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
    if (state === "offline") {
      Object.assign(record, { beatAt: null, gaps: [] });
      this.#gone.add(record);
    } else this.#gone.delete(record);
    record.state = state;
    record.since = at;
    const { claude_id, last_seen: seen } = record;
    this.#changed(record, { claude_id, state, at, ...(seen !== at && { seen }) });
  }
}

/** Whether nothing but its heartbeats holds it online. */
export const isHeldByBeats = ({ state, beatAt, connections }: InstanceRecord): boolean =>
  state === "online" && beatAt !== null && connections.size === 0;

/** When the hub last heard of it: now, while it has a connection. */
export const lastSeen = ({ connections, last_seen }: InstanceRecord, now: number): number =>
  connections.size > 0 ? now : last_seen;

const first = <T>(order: ReadonlySet<T>): T | undefined => order.values().next().value;

function noteGap(record: InstanceRecord, intervalMs: number | undefined, awake: number): void {
  if (intervalMs !== undefined) record.gaps = [intervalMs];
  else if (record.beatAt !== null) record.gaps = [...record.gaps, awake - record.beatAt].slice(-GAPS_KEPT);
  record.beatAt = awake;
}

/** Until when the last heartbeat counts: two and a half intervals, the largest recent gap being one. */
const freshUntil = (record: InstanceRecord) =>
  record.beatAt === null ? Number.NEGATIVE_INFINITY : record.beatAt + freshMsOf(record);

/** For how long a heartbeat counts. */
export const freshMsOf = (record: Pick<InstanceRecord, "gaps">) =>
  Math.max(LIVENESS.fresh_min_ms, FRESH_INTERVALS * intervalOf(record));

/** When its next heartbeat is to be expected, as far as is known, else 0. */
export const intervalOf = ({ gaps }: Pick<InstanceRecord, "gaps">) =>
  Math.min(LIVENESS.longest_interval_ms, Math.max(0, ...gaps));
