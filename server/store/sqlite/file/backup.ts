/** Online backups: SQLite's own, verified after writing, and marked so that a hub which opens one draws a new epoch. */
import { rmSync } from "node:fs";
import type Database from "better-sqlite3";
import { HubError } from "../../../../shared/errors.ts";
import { assertExactName, BetterSqlite } from "../betterSqlite.ts";
import { setMeta } from "./meta.ts";
import { createPrivateFile } from "./privateFile.ts";

const ALL_PAGES = 2 ** 31 - 1;

/**
 * Writes a verified copy of a database in use, for its owner's eyes only.
 *
 * @throws HubError `invalid_params` when the file exists already, or cannot be made.
 */
export async function writeBackup(db: Database.Database, file: string): Promise<void> {
  createCopy(file);
  try {
    // All pages in one step: another process may be writing, and each of its commits would start the copy over.
    await db.backup(file, { progress: () => ALL_PAGES });
    verifyAndMark(file);
  } catch (error) {
    rmSync(file, { force: true });
    throw error;
  }
}

function createCopy(file: string): void {
  try {
    assertExactName(file);
    createPrivateFile(file);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const why = code === "EEXIST" ? "exists already: name a new file" : `cannot be written (${message})`;
    throw new HubError("invalid_params", `${file} ${why}`, { field: "file" });
  }
}

function verifyAndMark(file: string): void {
  const copy = new BetterSqlite(file);
  try {
    const verdict = copy.pragma("integrity_check(1)", { simple: true });
    if (verdict !== "ok") {
      throw new Error(
        `the copy is damaged, and most likely so is the database: it was removed; restore an earlier backup (${verdict})`,
      );
    }
    copy.pragma("journal_mode = DELETE");
    setMeta(copy, "backup", new Date().toISOString());
  } finally {
    copy.close();
  }
}
