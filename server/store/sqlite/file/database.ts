/** Opening an SQLite file the way the hub needs it: durable, private, of a schema this hub knows. */
import { existsSync, mkdirSync, realpathSync, statSync } from "node:fs";
import { dirname } from "node:path";
import type Database from "better-sqlite3";
import { assertExactName, BetterSqlite } from "../betterSqlite.ts";
import { HEADER_BYTES, Header } from "./header.ts";
import { migrate } from "./migrate.ts";
import { createPrivateFile } from "./privateFile.ts";
import { unusable } from "./unusable.ts";

/** Below this SQLite can corrupt a WAL that two connections write. */
const OLDEST_SAFE_SQLITE = [3, 51, 3] as const;

/**
 * Opens or creates the database.
 *
 * @param file the database, in a directory that exists; a new one is created with mode 0600.
 * @param now as `migrate` needs it.
 * @param tell is given each sentence that whoever runs the hub should know.
 * @throws Error with a sentence for a person when the file cannot be used.
 */
export function openDatabase(file: string, now: number, tell: (note: string) => void = () => {}): Database.Database {
  const fresh = ensureExists(file);
  assertOneName(file);
  assertOwnWal(file);
  const db = new BetterSqlite(file, { timeout: 100 });
  try {
    assertSafeVersion(db);
    if (fresh) db.pragma("auto_vacuum = INCREMENTAL");
    db.pragma("journal_mode = WAL");
    configure(db);
    const notes = migrate(db, now);
    assertDurable(db);
    for (const note of notes) tell(note);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

/**
 * Where a database is: its folder made, private, where there is none; a link followed, because one file has one lock.
 *
 * @throws Error with a sentence for a person.
 */
export function locate(file: string): string {
  try {
    assertExactName(file);
    makeDirectory(dirname(file));
    return existsSync(file) ? realpathSync(file) : file;
  } catch (error) {
    throw unusable(file, error);
  }
}

/** Level by level: Node's own recursion never ends where the system refuses a folder. */
function makeDirectory(path: string): void {
  if (existsSync(path) && statSync(path).isDirectory()) return;
  makeDirectory(dirname(path));
  mkdirSync(path, { mode: 0o700 });
}

/** The write-ahead log: where SQLite writes a database's changes first. */
export const walOf = (file: string) => `${file}-wal`;

/** Where it finds them there: made and removed together with the write-ahead log. */
export const walIndexOf = (file: string) => `${file}-shm`;

/** SQLite finds a database's write-ahead log by its name, and a hub its lock: a file with two names has two of each. */
function assertOneName(file: string): void {
  const found = statSync(file);
  if (found.nlink <= 1 || !found.isFile()) return;
  throw new Error(
    `${file} has another name too (a hard link), under which it could be opened and damaged: ` +
      `remove the other one, or go on with a copy (cp ${file} NEW_FILE)`,
  );
}

/**
 * A backup is no database with a write-ahead log until a hub has opened it. Where one lies beside it, it was left by a
 * hub that was killed, and the backup was copied over that hub's database: SQLite would mix the two.
 */
function assertOwnWal(file: string): void {
  const wal = walOf(file);
  if (!existsSync(wal) || statSync(wal).size === 0 || new Header(file).hasWal()) return;
  throw new Error(
    `${file} was put in the place of another database, the last changes of which are still in ${wal}: ` +
      `remove ${wal} and ${walIndexOf(file)} to go on with ${file} as it is`,
  );
}

/** @returns whether there is nothing in it yet, as after a first start that found the disk full. */
function ensureExists(file: string): boolean {
  if (existsSync(file)) return isEmpty(file);
  createPrivateFile(file);
  return true;
}

/** @throws Error for a file too short to be a database: SQLite would overwrite it. */
function isEmpty(file: string): boolean {
  const { size } = statSync(file);
  if (size > 0 && size < HEADER_BYTES) throw Object.assign(new Error("it is too short"), { code: "SQLITE_NOTADB" });
  return size === 0;
}

function configure(db: Database.Database): void {
  db.pragma("synchronous = FULL");
  db.pragma("mmap_size = 0");
  db.pragma("cache_size = -8192"); // a commit after certain page splits looks through the whole cache
  db.pragma("temp_store = MEMORY");
}

/** better-sqlite3 is compiled so that WAL silently falls back to NORMAL after the first write. */
function assertDurable(db: Database.Database): void {
  db.exec("BEGIN IMMEDIATE; UPDATE coordination_meta SET value = value; COMMIT");
  const level = db.pragma("synchronous", { simple: true });
  if (level !== 2) throw new Error(`SQLite does not run with synchronous=FULL (it says ${level})`);
}

function assertSafeVersion(db: Database.Database): void {
  const version = db.prepare("SELECT sqlite_version()").pluck().get() as string;
  const parts = version.split(".").map(Number);
  for (const [i, least] of OLDEST_SAFE_SQLITE.entries()) {
    const part = parts[i] ?? 0;
    if (part > least) return;
    if (part < least)
      throw new Error(`SQLite ${version} can corrupt its log: ${OLDEST_SAFE_SQLITE.join(".")} is needed`);
  }
}
