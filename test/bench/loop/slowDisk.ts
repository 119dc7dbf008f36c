/** A disk that takes its time: a library, loaded before all others, in which every sync sleeps first. */
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { Missing, requireCommand } from "../os/missing.ts";

export const STALL_MS = 200;

const SOURCE = `
#define _GNU_SOURCE
#include <dlfcn.h>
#include <unistd.h>

static int stalled(const char *name, int fd) {
  int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, name);
  usleep(${STALL_MS} * 1000);
  return real(fd);
}

int fsync(int fd) { return stalled("fsync", fd); }
int fdatasync(int fd) { return stalled("fdatasync", fd); }
`;

/**
 * The environment in which every `fsync` of a program takes `STALL_MS` longer.
 *
 * @throws Missing without a C compiler.
 */
export function slowDiskEnv(folder: string): { LD_PRELOAD: string } {
  requireCommand("cc");
  const source = join(folder, "slow-disk.c");
  const library = join(folder, "slow-disk.so");
  writeFileSync(source, SOURCE);
  try {
    execFileSync("cc", ["-shared", "-fPIC", "-o", library, source, "-ldl"], { stdio: "pipe" });
  } catch (error) {
    throw new Missing(`cc cannot build a shared library (${(error as Error).message.split("\n")[0]})`);
  }
  return { LD_PRELOAD: library };
}
