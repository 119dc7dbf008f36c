/** The file with all that works on it, from opening to closing. */
import { hash } from "node:crypto";
import type Database from "better-sqlite3";
import { type Bounds, LIMITS } from "../../../../shared/limits.ts";
import type { LeasePolicy } from "../../../core/message.ts";
import { Engine } from "../../engine/engine.ts";
import { makeIds } from "../../engine/ids.ts";
import type { Tally } from "../../engine/journal.ts";
import type { CheckWhole } from "../../engine/templates/whole.ts";
import { BetterSqlite } from "../betterSqlite.ts";
import { ListReader } from "../tables/listReader.ts";
import { SqliteLedger } from "../tables/sqliteLedger.ts";
import { SqliteReads } from "../tables/sqliteReads.ts";
import { tallyOver } from "../tables/tally.ts";
import { lostEntries } from "../unavailable.ts";
import { openDatabase } from "./database.ts";
import { settleEpoch } from "./epoch.ts";
import { FilesInPlace } from "./filesInPlace.ts";
import type { HubLock } from "./lock.ts";

export interface FileOptions {
  /** The database file; made when it is not there. */
  file: string;
  lease: LeasePolicy;
  /** The contract's own when left out. */
  bounds?: Bounds | undefined;
}

export interface HostOptions extends FileOptions {
  /** When the store was opened, ms since 1970. */
  openedAt: number;
  /** Epoch of the log to continue, if this process has had the file open before. */
  epoch?: string | undefined;
  /** Whether the file could not be read or written when it was last open. */
  isSuspect?: boolean | undefined;
}

export interface OpenFile {
  db: Database.Database;
  reader: Database.Database;
  reads: SqliteReads;
  ledger: SqliteLedger;
  engine: Engine;
  tally: () => Tally;
  epoch: string;
  begin: Database.Statement;
  commit: Database.Statement;
  rollback: Database.Statement;
  dataVersion: Database.Statement;
  seenVersion: number;
  files: FilesInPlace;
}

/** What a host gives to each opening of its file. */
export interface HostParts {
  lock: HubLock;
  checkWhole: CheckWhole;
  /** Told what whoever runs the hub should know, as sentences. */
  tell: (note: string) => void;
}

/** @throws Error with a sentence for a person when the file cannot be used. */
function openFile(file: string, options: HostOptions, parts: HostParts): OpenFile {
  const db = openDatabase(file, options.openedAt, parts.tell);
  let reader: Database.Database | undefined;
  try {
    reader = openReader(file);
    return { ...workOn(db, reader, options, parts), reader, files: new FilesInPlace(file) };
  } catch (error) {
    closeAll({ db, reader });
    throw error;
  }
}

/** Reads at once: from then on, as long as it is open, no other connection is the file's last one. */
function openReader(file: string): Database.Database {
  const reader = new BetterSqlite(file, { readonly: true });
  reader.pragma("user_version");
  return reader;
}

/**
 * Opens the file for a new host, on the log that this process used before, if any.
 *
 * @throws as `reopenFile` does.
 */
export function openFirst(file: string, options: HostOptions, parts: HostParts): OpenFile {
  const { epoch, isSuspect } = options;
  if (isSuspect && epoch !== undefined) return reopenFile(file, options, parts, epoch);
  const open = openFile(file, options, parts);
  if (epoch === undefined || open.epoch === epoch) return open;
  closeAll(open);
  throw lostEntries();
}

/**
 * Opens the file after a failure, and checks it. What a failed fsync left in the system's cache reads well and may
 * not be on disk: it is written anew, by a checkpoint of the whole write-ahead log, before anything builds on it.
 *
 * @param epoch of the log to continue.
 * @throws Error with a sentence for a person when that is not possible.
 */
export function reopenFile(file: string, options: HostOptions, parts: HostParts, epoch: string): OpenFile {
  const open = openFile(file, options, parts);
  try {
    const verdict = open.db.pragma("quick_check(1)", { simple: true });
    if (verdict !== "ok") throw new Error(`it is damaged, restore a backup: ${verdict}`);
    const isBusy = open.db.pragma("wal_checkpoint(TRUNCATE)", { simple: true }) !== 0;
    if (isBusy) throw new Error("another program is reading it");
    if (open.epoch !== epoch) throw lostEntries();
    return open;
  } catch (error) {
    closeAll(open);
    throw error;
  }
}

function workOn(
  db: Database.Database,
  reader: Database.Database,
  { lease, bounds = LIMITS }: HostOptions,
  { lock, checkWhole }: HostParts,
): Omit<OpenFile, "reader" | "files"> {
  const ledger = new SqliteLedger(db);
  const tally = tallyOver(db, ledger);
  const options = { ledger, lease, bounds, newId: makeIds(), random: Math.random, fingerprint, checkWhole };
  const engine = new Engine(options, tally());
  const epoch = settleEpoch(db, lock, engine.head);
  const { graceMs } = lease;
  const reads = new SqliteReads({ db, lists: new ListReader(db, reader, graceMs), ledger, engine, graceMs });
  const dataVersion = db.prepare("PRAGMA data_version").pluck();
  return {
    db,
    reads,
    ledger,
    engine,
    tally,
    epoch,
    begin: db.prepare("BEGIN IMMEDIATE"),
    commit: db.prepare("COMMIT"),
    rollback: db.prepare("ROLLBACK"),
    dataVersion,
    seenVersion: dataVersion.get() as number,
  };
}

/** Closes the file with everything in it, unless its disk is full: then the write-ahead log keeps it. */
export function closeWhole({ reader, db }: Pick<OpenFile, "reader" | "db">): void {
  reader.close();
  try {
    db.pragma("wal_checkpoint(TRUNCATE)");
  } catch {
    // the next start finds it there
  }
  db.close();
}

/**
 * Closes what may be broken, and writes nothing more: a file's last connection would write the whole write-ahead log
 * into whatever has the file's name. That is the reader, which cannot write.
 */
export function closeAll({ db, reader }: { db: Database.Database; reader: Database.Database | undefined }): void {
  for (const connection of [db, reader]) {
    try {
      connection?.close();
    } catch {
      // a connection in this state may refuse even that; the next one is opened all the same
    }
  }
}

const fingerprint = (text: string) => hash("sha256", text, "base64").slice(0, 22);
