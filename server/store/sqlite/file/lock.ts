/**
 * One hub a file. The lock is an exclusive transaction's lock on a small SQLite file beside the database,
 * kept for the life of the process: a killed process releases it by itself, and the application's own
 * connections to the database are not shut out. The same file notes how far the log had come, so that a
 * database that was put back to an older state is noticed.
 */
import type Database from "better-sqlite3";
import { BetterSqlite } from "../betterSqlite.ts";
import { createPrivateFile } from "./privateFile.ts";
import { unusable } from "./unusable.ts";

export class HubLock {
  readonly #db: Database.Database;
  readonly #note: Database.Statement;
  #noted = "";

  /**
   * @throws Error when another hub holds the file.
   */
  constructor(databaseFile: string) {
    const file = `${databaseFile}.hub-lock`;
    this.#db = openLock(file);
    try {
      // Made with a journal, so that a first start which is killed can be repeated. Later one row changes in place.
      this.#db.exec(
        "BEGIN EXCLUSIVE; CREATE TABLE IF NOT EXISTS log (epoch TEXT NOT NULL, seq INTEGER NOT NULL); " +
          "INSERT INTO log SELECT '', 0 WHERE NOT EXISTS (SELECT * FROM log); COMMIT",
      );
      this.#db.pragma("locking_mode = EXCLUSIVE");
      this.#db.pragma("journal_mode = MEMORY");
      this.#db.pragma("synchronous = OFF");
      this.#db.exec("BEGIN EXCLUSIVE; COMMIT");
      this.#note = this.#db.prepare("UPDATE log SET epoch = ?, seq = ?");
    } catch (error) {
      this.#db.close();
      throw (error as { code?: string }).code === "SQLITE_BUSY"
        ? new Error(`another hub is using ${databaseFile}: stop it first, or start this one with another --db`)
        : unusable(file, error);
    }
  }

  /** How far the log of this epoch was seen to come; undefined when it was never seen. */
  seen(epoch: string): number | undefined {
    const row = this.#db.prepare("SELECT epoch, seq FROM log").get() as { epoch: string; seq: number };
    return row.epoch === epoch ? row.seq : undefined;
  }

  note(epoch: string, seq: number): void {
    const position = `${epoch}.${seq}`;
    if (position === this.#noted) return;
    this.#note.run(epoch, seq);
    this.#noted = position;
  }

  release(): void {
    this.#db.close();
  }
}

function openLock(file: string): Database.Database {
  try {
    ensureExists(file);
    return new BetterSqlite(file, { timeout: 500 });
  } catch (error) {
    throw unusable(file, error);
  }
}

/**
 * Whoever could open it could keep every hub out. One that is there is not touched: closing it again would let go of
 * the lock that another hub of this process holds on it.
 */
function ensureExists(file: string): void {
  try {
    createPrivateFile(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
}
