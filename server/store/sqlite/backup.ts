/** Online backups: SQLite's own, verified after writing, and marked so that a hub which opens one draws a new epoch. */
import { closeSync, openSync, rmSync } from "node:fs";
import type Database from "better-sqlite3";
import { HubError } from "../../../shared/errors.ts";
import { BetterSqlite } from "./betterSqlite.ts";
import { setMeta } from "./migrate.ts";

const ALL_PAGES = 2 ** 31 - 1;

/**
 * Writes a verified copy of a database in use, for its owner's eyes only.
 *
 * @throws HubError `invalid_params` when the file exists already, or cannot be made.
 */
export async function writeBackup(db: Database.Database, file: string): Promise<void> {
  createPrivately(file);
  try {
    // All pages in one step: another process may be writing, and each of its commits would start the copy over.
    await db.backup(file, { progress: () => ALL_PAGES });
    verifyAndMark(file);
  } catch (error) {
    rmSync(file, { force: true });
    throw error;
  }
}

function createPrivately(file: string): void {
  try {
    closeSync(openSync(file, "wx", 0o600));
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const why = code === "EEXIST" ? "exists already: name a new file" : `cannot be written (${message})`;
    throw new HubError("invalid_params", `${file} ${why}`, { field: "file" });
  }
}

function verifyAndMark(file: string): void {
  const copy = new BetterSqlite(file);
  try {
    const verdict = copy.pragma("integrity_check", { simple: true });
    if (verdict !== "ok") throw new Error(`the backup is damaged: ${verdict}`);
    copy.pragma("journal_mode = DELETE");
    setMeta(copy, "backup", new Date().toISOString());
  } finally {
    copy.close();
  }
}
