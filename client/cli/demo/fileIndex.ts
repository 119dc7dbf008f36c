/** The work that the demo's workers do. */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";

export interface FileIndex {
  readonly lines: number;
  readonly sha256: string;
}

const NEWLINE = 0x0a;

/** @throws Error when the file cannot be read. */
export async function indexFile(path: string): Promise<FileIndex> {
  const hash = createHash("sha256");
  let lines = 0;
  for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) {
    hash.update(chunk);
    for (let at = chunk.indexOf(NEWLINE); at >= 0; at = chunk.indexOf(NEWLINE, at + 1)) lines++;
  }
  return { lines, sha256: hash.digest("hex") };
}
