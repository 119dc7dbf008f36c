import { type Dirent, readdirSync } from "node:fs";
import { join, relative } from "node:path";
import { UsageError } from "../process/errors.ts";

/** Folders of dependencies, build output and data, which nobody wrote by hand. */
const SKIPPED = new Set(["node_modules", "dist", "data", "coverage"]);
const isSkipped = (name: string) => name.startsWith(".") || SKIPPED.has(name);

/**
 * Files of a folder and of those in it, nearest first; symbolic links are not followed.
 *
 * @returns at most so many, as paths below the folder.
 * @throws UsageError when it cannot be read.
 */
export function filesOf(folder: string, most: number): string[] {
  const files: string[] = [];
  const folders = [folder];
  for (let next = folders.shift(); next !== undefined && files.length < most; next = folders.shift()) {
    for (const entry of entriesOf(next, next === folder)) {
      const path = join(next, entry.name);
      if (isSkipped(entry.name)) continue;
      if (entry.isFile()) files.push(relative(folder, path));
      else if (entry.isDirectory()) folders.push(path);
    }
  }
  return files.slice(0, most);
}

/** A folder below that may not be read has no entries. */
function entriesOf(folder: string, mustBe: boolean): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
  } catch (error) {
    if (mustBe) throw new UsageError(`cannot read ${folder}: ${(error as Error).message}`);
    return [];
  }
}
