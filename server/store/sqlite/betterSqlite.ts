/**
 * better-sqlite3 in the version that suits the Node at hand. Version 12, compiled on Node 24.19 or later, may abort the
 * process when one of its objects is collected (nodejs/node#65446). Version 13 does not, but writes a quarter slower
 * and cannot be loaded by Node 20.
 */
import { createRequire } from "node:module";
import type Database from "better-sqlite3";

// biome-ignore lint/style/noRestrictedGlobals: which Node this is, a fact of the machine
const major = Number.parseInt(process.versions.node, 10);

export const BetterSqlite: typeof Database = createRequire(import.meta.url)(
  major >= 24 ? "better-sqlite3-13" : "better-sqlite3",
);

/** @throws Error for a name that the library would open as another: it cuts off white space at either end. */
export function assertExactName(file: string): void {
  if (file === file.trim()) return;
  throw new Error(
    `${JSON.stringify(file)} begins or ends with white space, which SQLite does not see: name it without`,
  );
}
