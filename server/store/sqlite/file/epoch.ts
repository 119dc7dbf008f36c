/** Which incarnation of the log a file holds. */
import { randomBytes } from "node:crypto";
import type Database from "better-sqlite3";
import type { HubLock } from "./lock.ts";
import { deleteMeta, getMeta, setMeta } from "./meta.ts";

/**
 * The epoch of a log that has come to `head`.
 *
 * A fresh, restored or rolled-back log is another incarnation: readers must not mistake it for the one they know. So
 * is one whose past nobody can vouch for, because the lock file knows nothing of it.
 */
export function settleEpoch(db: Database.Database, lock: HubLock, head: number): string {
  const known = getMeta(db, "epoch");
  const seen = known === undefined ? undefined : lock.seen(known);
  if (known !== undefined && seen !== undefined && head >= seen && getMeta(db, "backup") === undefined) return known;
  const epoch = randomBytes(6).toString("hex");
  db.transaction(() => {
    setMeta(db, "epoch", epoch);
    deleteMeta(db, "backup");
  }).immediate();
  lock.note(epoch, head);
  return epoch;
}
