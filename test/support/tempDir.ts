import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { defer } from "./defer.ts";

/** A new, empty folder, removed when the test ends. */
export function tempDir(): string {
  const folder = mkdtempSync(join(tmpdir(), "hub-test-"));
  defer(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
