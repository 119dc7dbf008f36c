/**
 * Numbered migrations. The schema version lives in coordination_meta, because the file may be an application's
 * own database: its user_version is not ours to touch.
 */
import { readdirSync, readFileSync } from "node:fs";
import type Database from "better-sqlite3";
import { built } from "../built.ts";
import { adoptDocumentTable, setAsideDocumentTable } from "./adopt.ts";
import { createMeta, getMeta, setMeta } from "./meta.ts";

const DIRECTORY = built("migrations/");

interface Migration {
  version: number;
  file: string;
}

/**
 * Brings the schema to this hub's version, in one transaction.
 *
 * @param now the start of leases that an older table knows nothing of.
 * @returns what whoever runs the hub should know of it, as sentences.
 * @throws Error when the file was written by a newer hub.
 */
export function migrate(db: Database.Database, now: number): string[] {
  // Views of a table that is taken over, and references to it, go on meaning the table of that name.
  db.pragma("foreign_keys = OFF");
  db.pragma("legacy_alter_table = ON");
  const notes = db.transaction(upgrade).immediate(db, now);
  db.pragma("legacy_alter_table = OFF");
  db.pragma("foreign_keys = ON");
  return notes;
}

function upgrade(db: Database.Database, now: number): string[] {
  const present = schemaVersion(db);
  const migrations = listMigrations();
  const newest = migrations.at(-1)?.version ?? 0;
  if (present > newest) {
    throw new Error(
      `the database has schema ${present}, this hub knows ${newest}: start the newer hub that wrote it, or restore a backup`,
    );
  }
  const adopts = present === 0 && setAsideDocumentTable(db);
  for (const { version, file } of migrations) {
    if (version > present) db.exec(readFileSync(new URL(file, DIRECTORY), "utf8"));
  }
  if (present < newest) setMeta(db, "schema", String(newest));
  return adopts ? adoptDocumentTable(db, now) : [];
}

function listMigrations(): Migration[] {
  return readdirSync(DIRECTORY)
    .filter((file) => file.endsWith(".sql"))
    .sort()
    .map((file) => ({ version: Number.parseInt(file, 10), file }));
}

function schemaVersion(db: Database.Database): number {
  createMeta(db);
  return Number(getMeta(db, "schema") ?? 0);
}
