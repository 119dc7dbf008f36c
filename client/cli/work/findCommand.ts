import { access, constants, stat } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { CannotStart } from "../process/errors.ts";

/**
 * Checks that a command can be started before anything is claimed for it. Where the system has rules of its own for
 * that, as Windows has, only starting it can tell.
 *
 * @throws CannotStart
 */
export async function assertStartable(command: string, path = "/usr/bin:/bin"): Promise<void> {
  if (process.platform === "win32") return;
  if (command.includes("/")) {
    if (!(await isExecutable(command))) throw new CannotStart(`${command} is not there, or cannot be executed`);
    return;
  }
  for (const folder of path.split(delimiter)) if (await isExecutable(join(folder || ".", command))) return;
  throw new CannotStart(`no command ${command} in PATH`);
}

async function isExecutable(file: string): Promise<boolean> {
  try {
    await access(file, constants.X_OK);
    return (await stat(file)).isFile();
  } catch {
    return false;
  }
}
