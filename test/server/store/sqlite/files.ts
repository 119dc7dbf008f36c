/** SQLite files as the tests of the store need them: hubs over them, and a look inside with a connection of one's own. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type Database from "better-sqlite3";
import { BetterSqlite } from "../../../../server/store/sqlite/betterSqlite.ts";
import { SqliteStore } from "../../../../server/store/sqlite/sqliteStore.ts";
import type { Store } from "../../../../server/store/store.ts";
import type { ManualClock } from "../../../support/clock.ts";
import { defer } from "../../../support/defer.ts";
import { repository } from "../../../support/repository.ts";
import { tempDir } from "../../../support/tempDir.ts";
import { LEASE } from "../../core/support.ts";
import { StoreDriver } from "../driver.ts";
import { HostStore } from "./hostStore.ts";

/** A file that is not there yet, in a folder of its own. */
export const newFile = () => join(tempDir(), "hub.db");

/** Opens a store over a file, in this thread; closed when the test ends. */
export const openStore = (file: string, clock?: ManualClock): Promise<StoreDriver> =>
  open(new HostStore({ file, lease: LEASE }), clock);

/** Opens a store over a file as a hub does, in a thread of its own; closed when the test ends. */
export const openThread = (file: string, clock?: ManualClock): Promise<StoreDriver> =>
  open(new SqliteStore({ file, lease: LEASE }), clock);

function open(store: Store, clock: ManualClock | undefined): Promise<StoreDriver> {
  defer(() => store.close());
  return new StoreDriver(store, clock).open();
}

const MIGRATIONS = `${repository}server/store/sqlite/migrations/`;

/** A file as a hub of an earlier schema left it. @param fill puts something in. */
export function fileOfSchema(schema: number, fill: (db: Database.Database) => void): string {
  const file = newFile();
  const migrations = readdirSync(MIGRATIONS).filter((name) => Number.parseInt(name, 10) <= schema);
  inside(file, (db) => {
    for (const name of migrations) db.exec(readFileSync(MIGRATIONS + name, "utf8"));
    db.exec("CREATE TABLE coordination_meta (name TEXT PRIMARY KEY NOT NULL, value TEXT NOT NULL) STRICT");
    db.exec(`INSERT INTO coordination_meta VALUES ('schema', '${schema}')`);
    fill(db);
  });
  return file;
}

/** Does something with a connection to the file, as the application or a person at a shell would. */
export function inside<T>(file: string, work: (db: Database.Database) => T, options: Database.Options = {}): T {
  const db = new BetterSqlite(file, options);
  try {
    return work(db);
  } finally {
    db.close();
  }
}

/** Looks at the file without changing it. */
export const look = <T>(file: string, work: (db: Database.Database) => T): T => inside(file, work, { readonly: true });
