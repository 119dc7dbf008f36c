/** Retention over SQLite: what is no longer kept is found by an index, or at the beginning of a table. */
import type Database from "better-sqlite3";
import type { MessageState } from "../../../core/message.ts";
import { iso } from "../../../iso.ts";
import type { DueInstances, Finished, ForgottenInstances, GiveUp, RetentionTables } from "../../engine/ledger.ts";
import { PORTION_CHARS } from "../../engine/retention.ts";
import type { KeyCursor } from "../../storeCommands.ts";
import { bodyChars, COLUMNS, fromRow, type RawRow } from "./rows.ts";

const prepareAll = (db: Database.Database) => ({
  finished: db
    .prepare(
      `SELECT ${COLUMNS.join(", ")} FROM coordination_messages INDEXED BY coordination_messages_finished
       WHERE status = ? AND completed_at < ? ORDER BY completed_at LIMIT ?`,
    )
    .raw(),
  /** The first entries with their times, the log's last one left out. */
  oldest: db
    .prepare(
      `SELECT seq, substr(envelope, instr(envelope, '"at":"') + 6, 24) FROM coordination_log
       WHERE seq > 0 AND seq < (SELECT max(seq) FROM coordination_log) ORDER BY seq LIMIT ?`,
    )
    .raw(),
  pruneLog: db.prepare("DELETE FROM coordination_log WHERE seq <= ?"),
  pruneBodies: db.prepare("DELETE FROM coordination_bodies WHERE seq <= ?"),
  first: db.prepare("SELECT coalesce(min(seq), 1) FROM coordination_log").pluck(),
  keys: db
    .prepare(
      `SELECT sender, key, created_at < ? AND NOT EXISTS (SELECT 1 FROM coordination_messages m WHERE m.id = message_id)
       FROM coordination_keys WHERE (sender, key) > (?, ?) ORDER BY sender, key LIMIT ?`,
    )
    .raw(),
  instances: db.prepare("SELECT count(*) FROM coordination_instances").pluck(),
  longestGone: db
    .prepare(
      `SELECT claude_id, last_seen FROM coordination_instances INDEXED BY coordination_instances_offline
       WHERE state = 'offline' ORDER BY last_seen LIMIT ?`,
    )
    .raw(),
  forgetHistory: db.prepare(
    `DELETE FROM coordination_presence
       WHERE id IN (SELECT id FROM coordination_presence WHERE claude_id = ? ORDER BY id LIMIT ?)`,
  ),
  pruneHistory: db.prepare(
    `DELETE FROM coordination_presence
       WHERE at < ? AND id IN (SELECT id FROM coordination_presence WHERE id > 0 ORDER BY id LIMIT ?)`,
  ),
  forgetInstance: db.prepare("DELETE FROM coordination_instances WHERE claude_id = ?"),
  pruneKey: db.prepare("DELETE FROM coordination_keys WHERE sender = ? AND key = ?"),
});

/** Free pages that are kept: the next writes would only have to ask for them again. */
const SPARE_PAGES = 256;
/** What `PRAGMA auto_vacuum` says of a file that gives pages back when asked. */
const INCREMENTAL = 2;

export class SqliteRetention implements RetentionTables {
  readonly #db: Database.Database;
  readonly #forgotten: () => void;
  readonly #sql: ReturnType<typeof prepareAll>;

  /** @param forgotten is told when an instance is. */
  constructor(db: Database.Database, forgotten: () => void) {
    this.#db = db;
    this.#forgotten = forgotten;
    this.#sql = prepareAll(db);
  }

  get floor(): number {
    return (this.#sql.first.get() as number) - 1;
  }

  finished(status: Finished, before: number, limit: number): MessageState[] {
    const states: MessageState[] = [];
    let chars = 0;
    for (const row of this.#sql.finished.iterate(status, iso(before), limit)) {
      const state = fromRow(row as RawRow);
      chars += bodyChars(state);
      if (states.length > 0 && chars > PORTION_CHARS) break;
      states.push(state);
    }
    return states;
  }

  pruneLog(before: number, limit: number): number {
    const entries = this.#sql.oldest.all(limit) as [seq: number, at: string][];
    const kept = entries.findIndex(([, at]) => at >= iso(before));
    const count = kept === -1 ? entries.length : kept;
    const last = entries[count - 1]?.[0];
    if (last === undefined) return 0;
    this.#sql.pruneLog.run(last);
    this.#sql.pruneBodies.run(last);
    return count;
  }

  pruneKeys(before: number, after: KeyCursor, limit: number) {
    const keys = this.#sql.keys.all(before, ...after, limit) as [sender: string, key: string, isUseless: number][];
    const useless = keys.filter(([, , isUseless]) => isUseless === 1);
    for (const [sender, key] of useless) this.#sql.pruneKey.run(sender, key);
    const [sender, key] = keys[limit - 1] ?? [];
    const next: KeyCursor | null = sender === undefined || key === undefined ? null : [sender, key];
    return { removed: useless.length, next };
  }

  forgetInstances({ seen_before, max_instances }: DueInstances, limit: number, giveUp: GiveUp): ForgottenInstances {
    const tooMany = max_instances === null ? 0 : (this.#sql.instances.get() as number) - max_instances;
    const before = seen_before === null ? "" : iso(seen_before);
    const instances: string[] = [];
    let room = limit;
    let history = 0;
    for (const [name, lastSeen] of this.#sql.longestGone.all(limit) as [name: string, lastSeen: string][]) {
      if (lastSeen >= before && instances.length >= tooMany) break;
      room -= giveUp(name, room);
      const { changes } = this.#sql.forgetHistory.run(name, room);
      history += changes;
      room -= changes;
      if (room === 0) break;
      this.#sql.forgetInstance.run(name);
      this.#forgotten();
      instances.push(name);
    }
    return { instances, history };
  }

  pruneHistory(before: number, limit: number): number {
    return this.#sql.pruneHistory.run(iso(before), limit).changes;
  }

  usedBytes(): number | null {
    if (!this.#isOwn()) return null;
    return (this.#pragma("page_count") - this.#pragma("freelist_count")) * this.#pragma("page_size");
  }

  giveBack(limit: number): number {
    const free = this.#pragma("freelist_count");
    if (free <= SPARE_PAGES || this.#pragma("auto_vacuum") !== INCREMENTAL || !this.#isOwn()) return 0;
    this.#db.pragma(`incremental_vacuum(${Math.min(limit, free - SPARE_PAGES)})`);
    return free - this.#pragma("freelist_count");
  }

  /** Whether nobody else has tables in the file. */
  #isOwn(): boolean {
    const tables = this.#db.pragma("table_list") as { schema: string; name: string }[];
    return tables.every(({ schema, name }) => schema !== "main" || /^(coordination|sqlite)_/.test(name));
  }

  #pragma(name: string): number {
    return this.#db.pragma(name, { simple: true }) as number;
  }
}
