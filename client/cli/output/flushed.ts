import type { Writable } from "node:stream";

/** Resolves when all that was written before is out, or has failed, which the stream reports. */
export const flushed = (output: Writable) => new Promise<void>((resolve) => output.write("", () => resolve()));
