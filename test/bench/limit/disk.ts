/** How long this disk takes to make a write durable. */
import { closeSync, fdatasyncSync, openSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { median } from "../statistics.ts";

const BLOCK = Buffer.alloc(4096, 1);
const REPEATS = 200;

/** Milliseconds to append 4 KiB to a file in this folder and `fdatasync` it: the median of many. */
export function fdatasyncMs(folder: string): number {
  const path = join(folder, "fdatasync.probe");
  const file = openSync(path, "w");
  try {
    return median(Array.from({ length: REPEATS }, () => append(file)));
  } finally {
    closeSync(file);
    rmSync(path);
  }
}

function append(file: number): number {
  const begin = performance.now();
  writeSync(file, BLOCK);
  fdatasyncSync(file);
  return performance.now() - begin;
}
