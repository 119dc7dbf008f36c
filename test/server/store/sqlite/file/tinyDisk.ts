/** A disk so small that a test can fill it: a memory file system of its own, which only root may mount. */
import { execFileSync } from "node:child_process";
import { defer } from "../../../../support/defer.ts";
import { requiresThat } from "../../../../support/requires.ts";
import { tempDir } from "../../../../support/tempDir.ts";

interface TinyDisk {
  /** The folder at which it is mounted. */
  folder: string;
  grow(size: string): void;
  /** Nothing can be written to it any more. */
  freeze(): void;
}

const mount = (...args: string[]) => execFileSync("mount", args, { stdio: "ignore" });
const unmount = (folder: string) => execFileSync("umount", ["--lazy", folder], { stdio: "ignore" });

/** A disk of a size such as `1m`, gone when the test ends. */
export function tinyDisk(size: string): TinyDisk {
  const folder = tempDir();
  mount("-t", "tmpfs", "-o", `size=${size}`, "tmpfs", folder);
  defer(() => unmount(folder));
  return {
    folder,
    grow: (larger) => mount("-o", `remount,size=${larger}`, folder),
    freeze: () => mount("-o", "remount,ro", folder),
  };
}

/** Says inside a `describe` that its tests need such disks; where they cannot be had the tests are skipped, but never in CI. */
export function requiresTinyDisks(): void {
  requiresThat(canMount(), "needs to mount a file system: run as root");
}

function canMount(): boolean {
  const folder = tempDir();
  try {
    mount("-t", "tmpfs", "-o", "size=64k", "tmpfs", folder);
    unmount(folder);
    return true;
  } catch {
    return false;
  }
}
