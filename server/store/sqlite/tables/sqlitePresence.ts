/** Who was there when: each transition, and how each instance stands. */
import type Database from "better-sqlite3";
import { iso } from "../../../iso.ts";
import type { PresenceTransition } from "../../storeCommands.ts";

const prepareAll = (db: Database.Database) => ({
  presence: db.prepare("INSERT INTO coordination_presence (claude_id, state, at) VALUES (?, ?, ?)"),
  instance: db.prepare(
    `INSERT INTO coordination_instances (claude_id, state, since, last_seen, beat_ms)
       VALUES (:claude_id, :state, :at, :seen, :beat_ms) ON CONFLICT DO UPDATE SET
       state = CASE WHEN :beat THEN state ELSE excluded.state END,
       since = CASE WHEN :beat THEN since ELSE excluded.since END, last_seen = excluded.last_seen,
       beat_ms = CASE WHEN :beat THEN excluded.beat_ms WHEN excluded.state = 'stale' THEN beat_ms END`,
  ),
  about: db.prepare(
    `INSERT INTO coordination_instances (claude_id, state, since, last_seen, about)
       VALUES (:claude_id, 'offline', :at, :at, :about) ON CONFLICT DO UPDATE SET about = excluded.about`,
  ),
});

export class SqlitePresence {
  readonly #sql: ReturnType<typeof prepareAll>;

  constructor(db: Database.Database) {
    this.#sql = prepareAll(db);
  }

  record(transitions: readonly PresenceTransition[]): void {
    for (const { claude_id, state, at, seen = at, beat_ms = null, about } of transitions) {
      if (state === "about") {
        this.#sql.about.run({ claude_id, at: iso(at), about: JSON.stringify(about) });
        continue;
      }
      this.#sql.presence.run(claude_id, state, iso(at));
      const beat = state === "heartbeat";
      const times = { at: iso(at), seen: iso(seen) };
      this.#sql.instance.run({ claude_id, state: beat ? "online" : state, ...times, beat: beat ? 1 : 0, beat_ms });
    }
  }
}
