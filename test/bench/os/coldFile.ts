/** Forgetting what the operating system remembers of files. */
import { execFileSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";

/** Asks the kernel to drop its cached pages of the files in a folder: what is read next comes from the disk. */
export function dropFromCache(folder: string): void {
  for (const name of readdirSync(folder)) {
    const drop = [`of=${join(folder, name)}`, "oflag=nocache", "conv=notrunc,fdatasync", "count=0"];
    execFileSync("dd", drop, { stdio: "ignore" });
  }
}
