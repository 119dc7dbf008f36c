/** What a database says of itself: its schema, its epoch, and whether it is a backup. Older than any migration. */
import type Database from "better-sqlite3";

type Name = "schema" | "epoch" | "backup";

export function createMeta(db: Database.Database): void {
  db.exec("CREATE TABLE IF NOT EXISTS coordination_meta (name TEXT PRIMARY KEY NOT NULL, value TEXT NOT NULL) STRICT");
}

export const getMeta = (db: Database.Database, name: Name) =>
  db.prepare("SELECT value FROM coordination_meta WHERE name = ?").pluck().get(name) as string | undefined;

export function setMeta(db: Database.Database, name: Name, value: string): void {
  db.prepare(
    "INSERT INTO coordination_meta (name, value) VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value",
  ).run(name, value);
}

export function deleteMeta(db: Database.Database, name: Name): void {
  db.prepare("DELETE FROM coordination_meta WHERE name = ?").run(name);
}
