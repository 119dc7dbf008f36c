import type { Writable } from "node:stream";

/** Resolves when all that was written before is out, or has failed: then the stream has said so. */
export const flushed = (output: Writable) => new Promise<void>((resolve) => output.write("", () => resolve()));
