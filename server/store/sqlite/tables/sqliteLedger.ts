/** The ledger over SQLite. All statements that write messages and the log are prepared here, once. */
import type Database from "better-sqlite3";
import QuickLRU from "quick-lru";
import { EVERYONE } from "../../../../shared/addressing.ts";
import type { Attempt, MessageState } from "../../../core/message.ts";
import { iso } from "../../../iso.ts";
import type { HolderKey, Ledger, RememberedKey, StoredEntry } from "../../engine/ledger.ts";
import type { Counts } from "../../store.ts";
import type { PresenceTransition } from "../../storeCommands.ts";
import { FreshMessages } from "./freshMessages.ts";
import { LogTable } from "./logTable.ts";
import { bodyChars, CHANGING, COLUMNS, fromRow, type RawRow, toChanges } from "./rows.ts";
import { SqliteAttempts } from "./sqliteAttempts.ts";
import { SqliteClock } from "./sqliteClock.ts";
import { SqlitePresence } from "./sqlitePresence.ts";
import { SqliteReceipts } from "./sqliteReceipts.ts";
import { SqliteRetention } from "./sqliteRetention.ts";
import { SqliteSchedules } from "./sqliteSchedules.ts";
import { SqliteTemplates } from "./sqliteTemplates.ts";
import { SqliteWaits } from "./sqliteWaits.ts";

const ALL = COLUMNS.join(", ");
const MESSAGES = "coordination_messages";

const forMessages = (db: Database.Database) => ({
  message: db.prepare(`SELECT ${ALL} FROM ${MESSAGES} WHERE id = ?`).raw(),
  lastPlace: db.prepare(`SELECT coalesce(max(rowid), 0) FROM ${MESSAGES}`).pluck(),
  update: db.prepare(`UPDATE ${MESSAGES} SET ${CHANGING.map((column) => `${column} = ?`).join(", ")} WHERE id = ?`),
  remove: db.prepare(`DELETE FROM ${MESSAGES} WHERE id = ?`),
});

const prepareAll = (db: Database.Database) => ({
  ...forMessages(db),
  eraseBodies: db.prepare("DELETE FROM coordination_bodies WHERE message_id = ?"),
  key: db.prepare(
    "SELECT message_id AS id, fingerprint, created_at FROM coordination_keys WHERE sender = ? AND key = ?",
  ),
  remember: db.prepare(
    `INSERT INTO coordination_keys (sender, key, message_id, fingerprint, created_at) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT DO NOTHING`,
  ),
  hopsOf: db
    .prepare(`SELECT hops FROM ${MESSAGES} WHERE chain_id = ? AND chain_id IS NOT NULL ORDER BY hops DESC LIMIT 1`)
    .pluck(),
  liftedTo: db.prepare("SELECT hops FROM coordination_chains WHERE chain_id = ?").pluck(),
  lift: db.prepare(
    "INSERT INTO coordination_chains (chain_id, hops) VALUES (?, ?) ON CONFLICT DO UPDATE SET hops = excluded.hops",
  ),
  next: db
    .prepare(
      `SELECT id FROM ${MESSAGES} WHERE to_claude = ? AND claim_rank IS NOT NULL ORDER BY claim_rank, rowid LIMIT 1`,
    )
    .pluck(),
  claimedWith: db
    .prepare(
      `SELECT id FROM ${MESSAGES} WHERE status = 'in_progress' AND claimed_by = ? AND claim_key = ? AND claimed_run IS ?`,
    )
    .pluck(),
  heldBy: db
    .prepare(
      `SELECT id FROM ${MESSAGES} WHERE status = 'in_progress' AND type = 'task' AND claimed_by = ? AND claimed_run IS ?`,
    )
    .pluck(),
  heldByRuns: db
    .prepare(`SELECT id FROM ${MESSAGES} WHERE status = 'in_progress' AND type = 'task' AND claimed_run IS NOT NULL`)
    .pluck(),
  due: db.prepare(`SELECT id FROM ${MESSAGES} WHERE wake_at <= ? ORDER BY wake_at LIMIT ?`).pluck(),
  earliestWake: db.prepare(`SELECT min(wake_at) FROM ${MESSAGES} WHERE wake_at IS NOT NULL`).pluck(),
  oldestWaiting: db
    .prepare(`SELECT created_at FROM ${MESSAGES} WHERE status = 'pending' AND to_claude = ? ORDER BY rowid LIMIT 1`)
    .pluck(),
  probe: db.prepare(
    "INSERT INTO coordination_probe (id, text) VALUES (1, ?) ON CONFLICT DO UPDATE SET text = excluded.text",
  ),
});

const PROBE_CHARS = 64 * 1024;

/** Messages this large are not worth keeping in memory. */
const CACHED_CHARS = 16 * 1024;
/** Messages in the cache, at the least. */
const CACHED = 2048;

export class SqliteLedger implements Ledger {
  readonly waits: SqliteWaits;
  readonly receipts: SqliteReceipts;
  readonly schedules: SqliteSchedules;
  readonly retention: SqliteRetention;
  readonly templates: SqliteTemplates;
  readonly clock: SqliteClock;
  readonly #attempts: SqliteAttempts;
  readonly #log: LogTable;
  readonly #fresh: FreshMessages;
  readonly #presence: SqlitePresence;
  readonly #sql: ReturnType<typeof prepareAll>;
  /** Messages in live use: a task is read back within moments of its sending. */
  readonly #cache = new QuickLRU<string, MessageState>({ maxSize: CACHED });
  #earliestWake: number | null | undefined;
  #lastPlace: number | undefined;

  constructor(db: Database.Database) {
    this.waits = new SqliteWaits(db);
    this.#attempts = new SqliteAttempts(db);
    this.#log = new LogTable(db);
    this.#fresh = new FreshMessages(db);
    this.#presence = new SqlitePresence(db);
    this.receipts = new SqliteReceipts(db);
    this.#sql = prepareAll(db);
    this.schedules = new SqliteSchedules(db);
    this.retention = new SqliteRetention(db, () => this.receipts.instancesChanged());
    this.templates = new SqliteTemplates(db);
    this.clock = new SqliteClock(db);
  }

  /** Forgets what is kept in memory: the tables may hold something else now. */
  forget(): void {
    this.#cache.clear();
    this.#earliestWake = undefined;
    this.#lastPlace = undefined;
    this.#log.forget();
    this.#fresh.forget();
    this.waits.forget();
    this.receipts.instancesChanged();
    this.clock.forget();
  }

  /** Has the table hold what the present batch has sent, for a query that must see it. */
  writeFresh(): void {
    this.#fresh.write();
  }

  message(id: string): MessageState | undefined {
    return this.#cache.peek(id) ?? this.#fresh.get(id) ?? this.#read(this.#sql.message.get(id));
  }

  insert(state: MessageState): void {
    this.#fresh.add(this.#placeOf(state), state);
    this.#touch(state);
  }

  /**
   * A message's place in the order of arrival, by which lists are read on: behind all before it, and behind those that were
   * deleted, whose places SQLite would give again. A table that was taken over may have more rows than the log entries.
   */
  #placeOf({ seq }: MessageState): number {
    this.#lastPlace ??= this.#sql.lastPlace.get() as number;
    this.#lastPlace = Math.max(seq, this.#lastPlace + 1);
    return this.#lastPlace;
  }

  update(state: MessageState): void {
    if (!this.#fresh.change(state)) {
      const changes = toChanges(state);
      changes.push(state.id);
      this.#sql.update.run(...changes);
    }
    this.#touch(state);
  }

  remove(state: MessageState): void {
    this.writeFresh();
    this.#sql.remove.run(state.id);
    this.#sql.eraseBodies.run(state.id);
    this.#attempts.forget(state.id);
    this.#cache.delete(state.id);
    this.clock.drop(state.id);
    if (state.to_claude === EVERYONE) this.receipts.forget(state.id);
    this.#earliestWake = undefined;
  }

  recordAttempt(id: string, attempt: Attempt): void {
    this.#attempts.record(id, attempt);
  }

  attempts(id: string): Attempt[] {
    return this.#attempts.all(id);
  }

  append(entry: StoredEntry): void {
    this.#log.append(entry);
  }

  remember(sender: string, key: string, value: RememberedKey): RememberedKey | undefined {
    const { id, fingerprint, created_at } = value;
    if (this.#sql.remember.run(sender, key, id, fingerprint, created_at).changes === 1) return undefined;
    return this.recall(sender, key);
  }

  recall(sender: string, key: string): RememberedKey | undefined {
    return this.#sql.key.get(sender, key) as RememberedKey | undefined;
  }

  hopsOf(chainId: string): number | undefined {
    this.writeFresh();
    return this.#sql.hopsOf.get(chainId) as number | undefined;
  }

  liftedTo(chainId: string): number | undefined {
    return this.#sql.liftedTo.get(chainId) as number | undefined;
  }

  lift(chainId: string, hops: number): void {
    this.#sql.lift.run(chainId, hops);
  }

  next(recipient: string): MessageState | undefined {
    const inTable = this.#find(this.#sql.next.get(recipient));
    const fresh = this.#fresh.next(recipient);
    if (inTable === undefined || fresh === undefined) return inTable ?? fresh;
    return rankOf(fresh) < rankOf(inTable) ? fresh : inTable;
  }

  claimedWith(holder: HolderKey, claimKey: string): MessageState | undefined {
    const { claude_id, run } = holder;
    const inTable = this.#find(this.#sql.claimedWith.get(claude_id, claimKey, run));
    return inTable ?? this.#fresh.find((state) => state.claim_key === claimKey && isHeldBy(state, holder));
  }

  held(holder?: HolderKey): string[] {
    this.writeFresh();
    const ids = holder ? this.#sql.heldBy.all(holder.claude_id, holder.run) : this.#sql.heldByRuns.all();
    return ids as string[];
  }

  due(now: number, limit: number): string[] {
    this.writeFresh();
    this.#earliestWake = undefined;
    return this.#sql.due.all(now, limit) as string[];
  }

  earliestWake(): number | null {
    if (this.#earliestWake === undefined) this.#earliestWake = this.#sql.earliestWake.get() as number | null;
    return this.#earliestWake;
  }

  oldestWaiting(recipient: string): string | null {
    const inTable = this.#sql.oldestWaiting.get(recipient) as string | undefined;
    if (inTable !== undefined) return inTable;
    const fresh = this.#fresh.find(({ status, to_claude }) => status === "pending" && to_claude === recipient);
    return fresh ? iso(fresh.created_at) : null;
  }

  probe(now: number): void {
    this.#sql.probe.run(`${now}`.padEnd(PROBE_CHARS, "."));
  }

  recordPresence(transitions: readonly PresenceTransition[]): void {
    this.receipts.instancesChanged();
    this.#presence.record(transitions);
  }

  seal(counts: Counts): void {
    this.writeFresh();
    this.#log.seal(counts);
  }

  /** A message just found by its id; most often it is still in memory. */
  #find(id: unknown): MessageState | undefined {
    return id === undefined ? undefined : this.message(id as string);
  }

  #read(row: unknown): MessageState | undefined {
    if (row === undefined) return undefined;
    const state = fromRow(row as RawRow);
    this.#touch(state);
    return state;
  }

  #touch(state: MessageState): void {
    this.#noteWake(state.wake_at);
    this.clock.observe(state);
    if (bodyChars(state) > CACHED_CHARS) this.#cache.delete(state.id);
    else this.#cache.set(state.id, state);
  }

  /** The earliest wake only ever comes nearer here; `due` looks anew. */
  #noteWake(at: number | null): void {
    if (at === null || this.#earliestWake === undefined) return;
    if (this.#earliestWake === null || at < this.#earliestWake) this.#earliestWake = at;
  }
}

const isHeldBy = ({ status, claimed_by, claimed_run }: MessageState, { claude_id, run }: HolderKey) =>
  status === "in_progress" && claimed_by === claude_id && claimed_run === run;

const rankOf = ({ claim_rank }: MessageState) => claim_rank as number;
