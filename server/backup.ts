/** Backs up a database from a process of its own, whether a hub is running on it or not: `backup.mjs DB FILE`. */
import { existsSync } from "node:fs";
import { assertExactName, BetterSqlite } from "./store/sqlite/betterSqlite.ts";
import { writeBackup } from "./store/sqlite/file/backup.ts";
import { unusable } from "./store/sqlite/file/unusable.ts";

async function main([db, file]: string[]): Promise<void> {
  if (!db || !file) throw new Error("which database, and to which file?");
  if (!existsSync(db)) throw new Error(`there is no database at ${db}: name it with --db`);
  assertExactName(db);
  const source = open(db);
  try {
    await writeBackup(source, file);
  } finally {
    source.close();
  }
  process.stdout.write(`${file}\n`);
}

function open(db: string) {
  try {
    const source = new BetterSqlite(db, { readonly: true });
    source.pragma("schema_version"); // only reading tells whether it is a database
    return source;
  } catch (error) {
    throw unusable(db, error);
  }
}

main(process.argv.slice(2)).catch((error: Error) => {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
});
