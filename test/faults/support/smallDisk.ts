/** A file system of a given size, which can be full. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmdirSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { defer } from "../../support/defer.ts";
import { requiresThat } from "../../support/requires.ts";

const mount = (...args: string[]) => execFileSync("mount", ["-t", "tmpfs", ...args], { stdio: "pipe" });

export class SmallDisk {
  readonly folder: string;
  readonly #mib: number;

  /** Mounts it; gone when the test ends. The hub must have ended by then, so start it after this. */
  constructor(mib: number) {
    this.#mib = mib;
    this.folder = mkdtempSync(join(tmpdir(), "hub-disk-"));
    mount("-o", `size=${mib}m,mode=0700`, "tmpfs", this.folder);
    defer(() => {
      execFileSync("umount", [this.folder]);
      rmdirSync(this.folder);
    });
  }

  /** As if somebody else had taken all that is left. */
  fill(): void {
    try {
      writeFileSync(join(this.folder, "ballast"), Buffer.alloc(this.#mib * 2 ** 20));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
    }
  }

  /** As if somebody had made room. */
  grow(mib: number): void {
    mount("-o", `remount,size=${mib}m`, "tmpfs", this.folder);
  }
}

/** Says inside a `describe` that its tests mount file systems: skipped where that is not allowed, but never in CI. */
export function requiresMount(): void {
  requiresThat(mayMount(), "needs the right to mount a tmpfs: run as root");
}

function mayMount(): boolean {
  const folder = mkdtempSync(join(tmpdir(), "hub-disk-"));
  try {
    mount("-o", "size=1m", "tmpfs", folder);
    execFileSync("umount", [folder]);
    return true;
  } catch {
    return false;
  } finally {
    rmdirSync(folder);
  }
}
