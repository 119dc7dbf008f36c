import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { beforeEach } from "vitest";

const PARTS = {
  curl: { commands: ["curl"], install: "apt-get install curl" },
  strace: { commands: ["strace"], install: "apt-get install strace" },
  faketime: { commands: ["faketime"], install: "apt-get install faketime" },
  chromium: { commands: ["chromium", "chromium-browser", "google-chrome"], install: "apt-get install chromium" },
} as const;

/**
 * Says inside a `describe` what its tests need from the machine. Where it is missing they are skipped and the end
 * of the run says why; in CI nothing may be skipped, and a missing part is a failure.
 *
 * @returns the path of the executable; empty where it is missing.
 */
export function requires(part: keyof typeof PARTS): string {
  const { commands, install } = PARTS[part];
  const path = commands.map(findExecutable).find((found) => found !== undefined);
  requiresThat(path !== undefined, `needs ${part}: ${install}`);
  return path ?? "";
}

/** The same for what is no program. @param missing what to say where it is not so. */
export function requiresThat(isSo: boolean, missing: string): void {
  if (!isSo && process.env.CI) throw new Error(`${missing} (in CI nothing is skipped)`);
  beforeEach((context) => context.skip(!isSo, missing));
}

function findExecutable(command: string): string | undefined {
  for (const folder of (process.env.PATH ?? "").split(delimiter)) {
    const path = join(folder, command);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // not in this folder
    }
  }
  return undefined;
}
