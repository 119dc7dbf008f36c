/**
 * Presence as its own stream beside the log: a version that rises, a snapshot at any version, and coalesced
 * diffs for whoever asked, at most one a second, none larger than a page. A storm of reconnects costs each listener a few
 * frames.
 */

import { setImmediate as nextTurn } from "node:timers/promises";
import { LIVENESS } from "../../shared/defaults.ts";
import { LIMITS } from "../../shared/limits.ts";
import type { About, Instance, Recipient } from "../../shared/presence.ts";
import { PRESENCE_LIMITS } from "../../shared/presence.ts";
import { type Clock, every, momentOf } from "../clock.ts";
import { iso } from "../iso.ts";
import { RepeatedWork, type Report } from "../report.ts";
import type { KnownInstance, Store, Workload } from "../store/store.ts";
import type { PresenceTransition } from "../store/storeCommands.ts";
import { withResolvers } from "../withResolvers.ts";
import { PresenceHistory, type RecordTransitions } from "./history.ts";
import { type Connection, type InstanceRecord, Instances, isHeldByBeats, lastSeen } from "./instances.ts";
import { type PresenceListener, PresenceListeners } from "./listeners.ts";

/** How many instances of a page are read and turned into text at once: others have their turn in between. */
const PORTION = 64;
/** What surrounds the instances of a page: its version, and where it ended. */
const AROUND_BYTES = 256;

interface PresenceOptions {
  store: Pick<Store, "workload">;
  clock: Clock;
  /** How long an instance whose last connection broke may stay away before it is offline. */
  leaveMs: number;
  record: RecordTransitions;
  report: Report;
}

interface PresencePage {
  /** Instances as JSON, in the order of their names. */
  readonly instances: string[];
  /** The last one's name, when there are more. */
  readonly next: string | null;
}

export class PresenceBoard {
  readonly #options: PresenceOptions;
  readonly #instances: Instances;
  readonly #history: PresenceHistory;
  readonly #listeners = new PresenceListeners();
  readonly #waiters = new Set<() => void>();
  /** Who has changed since the last diff, forgotten or not; not all of them when they are too many for one. */
  readonly #changed = new Map<string, InstanceRecord>();
  readonly #telling: RepeatedWork;
  #stopTicking = () => {};
  /** Begins at the time of the start, so that a restarted hub's versions are newer than the last one's. */
  #version: number;

  constructor(options: PresenceOptions) {
    this.#options = options;
    this.#telling = new RepeatedWork("telling presence", options.report);
    this.#version = options.clock.now();
    this.#history = new PresenceHistory(options.record);
    this.#instances = new Instances((record, transition) => this.#note(record, transition), options.leaveMs);
  }

  get version(): number {
    return this.#version;
  }

  get online(): number {
    return this.#instances.online;
  }

  /**
   * Starts with who was known before; a restart of the hub is no transition.
   *
   * @param thereUntil until when the hub before was there; null: there was none.
   */
  start(known: readonly KnownInstance[], thereUntil: number | null): void {
    const { clock, leaveMs } = this.#options;
    this.#instances.restore(known, thereUntil ?? 0, clock.awake(), LIVENESS.reconnect_spread_ms + leaveMs);
    this.#stopTicking = every(this.#options.clock, PRESENCE_LIMITS.diff_interval_ms, () => this.#tick());
  }

  stop(): void {
    this.#stopTicking();
    for (const record of this.#instances.all()) this.#history.noteLastBeat(record);
    this.flush();
    for (const wake of this.#waiters) wake();
  }

  /** Has what happened recorded now. */
  flush(): void {
    this.#history.flush();
  }

  connect(claudeId: string, connection: Connection): void {
    const now = this.#options.clock.now();
    const known = this.#instances.get(claudeId);
    const beat = known !== undefined && isHeldByBeats(known);
    this.#instances.connect(claudeId, connection, now);
    if (beat) this.#history.noteHold(known, now);
  }

  disconnect(claudeId: string, connection: Connection, goodbye: boolean): void {
    const at = momentOf(this.#options.clock);
    this.#instances.disconnect(claudeId, connection, goodbye, at);
    const record = this.#instances.get(claudeId);
    if (record && isHeldByBeats(record)) this.#history.noteHold(record, at.now);
  }

  beat(claudeId: string, intervalMs?: number, about?: About): void {
    const at = momentOf(this.#options.clock);
    this.#history.noteBeat(this.#instances.beat(claudeId, intervalMs, at, about), at);
  }

  /** A request came from an instance that need not be connected. */
  heard(claudeId: string, about?: About): void {
    const at = momentOf(this.#options.clock);
    const wasAway = this.#instances.heard(claudeId, at.now, about);
    if (wasAway) this.#history.noteBeat(this.#instances.get(claudeId) as InstanceRecord, at);
  }

  /** @returns a function that ends the listening. */
  listen(listener: PresenceListener): () => void {
    return this.#listeners.add(listener);
  }

  /** Resolves at the next version, or when the hub stops. */
  nextVersion(): { changed: Promise<void>; cancel: () => void } {
    const { promise: changed, resolve } = withResolvers<void>();
    const wake = () => {
      this.#waiters.delete(wake);
      resolve();
    };
    this.#waiters.add(wake);
    return { changed, cancel: wake };
  }

  /** What a sender can expect of a recipient: of a pool, its most reachable member; `*` and strangers are unknown. */
  recipient(address: string, waiting: number, oldest: string | null): Recipient {
    const now = this.#options.clock.now();
    const record = address.startsWith("@") ? this.#bestOf(address.slice(1), now) : this.#instances.get(address);
    return {
      state: record?.state ?? "unknown",
      ...(record && { last_seen: iso(lastSeen(record, now)) }),
      waiting,
      ...(oldest !== null && { oldest_waiting: oldest }),
      wake: reachabilityOf(record),
    };
  }

  #bestOf(role: string, now: number) {
    const members = [...this.#instances.all()].filter(({ about }) => about?.roles?.includes(role));
    return members.sort((a, b) => NEARNESS[b.state] - NEARNESS[a.state] || lastSeen(b, now) - lastSeen(a, now))[0];
  }

  /** Whether anyone of this name is or was ever there. */
  knows(claudeId: string): boolean {
    return this.#instances.get(claudeId) !== undefined;
  }

  /** Whether the store may have somebody to forget: one last seen before then, or one of too many. */
  forgets(seenBefore: number | null): boolean {
    return this.#instances.count >= LIMITS.instances || this.#instances.isAnyGone(seenBefore ?? 0);
  }

  /** Forgets those of them that have not come back meanwhile. */
  forget(names: readonly string[]): void {
    for (const name of names) this.#instances.forget(name);
  }

  /** One instance as presence shows it, if it is known. */
  async one(claudeId: string): Promise<PresencePage> {
    const record = this.#instances.get(claudeId);
    const shown = record ? await this.#shown([record]) : [];
    return { instances: shown.map((one) => JSON.stringify(one)), next: null };
  }

  /** Instances whose names come after one: as many as fit a page, and one at least. */
  async page(after = ""): Promise<PresencePage> {
    const instances: string[] = [];
    let last = after;
    let bytes = AROUND_BYTES;
    for (;;) {
      const records = this.#instances.after(last, PORTION);
      const portion = await this.#shown(records);
      await nextTurn(); // the database's answers may follow each other so closely that nothing else gets a turn
      for (const instance of portion) {
        const json = JSON.stringify(instance);
        bytes += Buffer.byteLength(json) + 1;
        if (instances.length > 0 && bytes > LIMITS.page_bytes) return { instances, next: last };
        instances.push(json);
        last = instance.claude_id;
      }
      if (records.length < PORTION) return { instances, next: null };
    }
  }

  /** Instances as presence shows them. */
  async #shown(records: readonly InstanceRecord[]): Promise<Instance[]> {
    const workloads = await this.#options.store.workload(records.map((record) => record.claude_id));
    const now = this.#options.clock.now();
    return records.map((record, i) => toInstance(record, workloads[i] as Workload, now));
  }

  #note(record: InstanceRecord, transition: PresenceTransition | null): void {
    this.#addChanged(record);
    if (transition) this.#history.note(transition);
  }

  #addChanged(record: InstanceRecord): void {
    if (this.#changed.size <= PRESENCE_LIMITS.diff_instances) this.#changed.set(record.claude_id, record);
  }

  /** Once a second: changes the state of those whose time is over, has what happened recorded, tells the listeners. */
  #tick(): void {
    this.#instances.sweep(momentOf(this.#options.clock));
    this.flush();
    this.#listeners.catchUp(this.#version);
    if (this.#changed.size === 0) return;
    const changed = [...this.#changed.values()];
    this.#changed.clear();
    this.#version++;
    for (const wake of this.#waiters) wake();
    if (this.#listeners.count > 0) void this.#tell(changed, this.#version);
  }

  async #tell(changed: readonly InstanceRecord[], version: number): Promise<void> {
    if (changed.length > PRESENCE_LIMITS.diff_instances) return this.#listeners.tellToRead(version);
    try {
      const changes = JSON.stringify({ version, instances: await this.#shown(changed) });
      if (Buffer.byteLength(changes) > LIMITS.page_bytes) this.#listeners.tellToRead(version);
      else this.#listeners.tell(changes);
      this.#telling.succeeded();
    } catch (error) {
      for (const record of changed) this.#addChanged(record); // the next diff tells of them
      this.#telling.failed(error);
    }
  }
}

const toInstance = (record: InstanceRecord, { in_progress, waiting, oldest }: Workload, now: number): Instance => ({
  claude_id: record.claude_id,
  state: record.state,
  since: iso(record.since),
  last_seen: iso(lastSeen(record, now)),
  connections: [...record.connections].slice(0, PRESENCE_LIMITS.connections).map(({ transport, client, about }) => ({
    transport,
    ...(client && { client }),
    ...(about?.host !== undefined && { host: about.host }),
  })),
  roles: record.about?.roles ?? [],
  ...(record.about && { about: record.about }),
  in_progress,
  waiting,
  ...(oldest !== null && { oldest_waiting: oldest }),
  reachability: reachabilityOf(record),
});

const reachabilityOf = (record: InstanceRecord | undefined) =>
  record && record.connections.size > 0 ? "connected" : "unknown";

/** States by how well an instance can be reached. */
const NEARNESS: Record<Instance["state"], number> = { online: 2, stale: 1, offline: 0 };
