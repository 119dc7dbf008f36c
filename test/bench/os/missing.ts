/** What a measurement needs and this machine does not have. It is said in one line, and the measurement is skipped. */
import { accessSync, constants, existsSync } from "node:fs";
import { delimiter, join } from "node:path";

export class Missing extends Error {
  override readonly name = "Missing";
}

/** @throws Missing when no such command is in the PATH. */
export function requireCommand(command: string): void {
  const folders = (process.env.PATH ?? "").split(delimiter);
  if (!folders.some((folder) => isExecutable(join(folder, command)))) throw new Missing(`${command} is not installed`);
}

/** @throws Missing where the kernel does not tell about processes. */
export function requireProc(): void {
  if (!existsSync("/proc/self/stat")) throw new Missing("/proc is not there (it is on Linux only)");
}

/**
 * Imports a package that is not everywhere.
 *
 * @throws Missing when it is not installed.
 */
export async function optional<T>(name: string): Promise<T> {
  try {
    return (await import(name)) as T;
  } catch {
    throw new Missing(`the package ${name} is not installed`);
  }
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
