/** Where an export goes: a new file, or stdout no faster than it is read. */
import { once } from "node:events";
import { open, unlink } from "node:fs/promises";
import type { Context } from "../context.ts";
import { flushed } from "../output/flushed.ts";
import { harmless } from "../output/sanitize.ts";
import { Failed } from "../process/errors.ts";

interface Sink {
  write(lines: string): Promise<void>;
  /** All is written: it must be on disk before anybody relies on it. */
  finish(): Promise<void>;
  /** Nothing was written: a file that was made for it goes. */
  discard(): Promise<void>;
  /** However it ended. */
  close(): Promise<void>;
}

/** @throws Failed when the file exists or cannot be made. */
export const openSink = (context: Context, file: string | undefined): Promise<Sink> =>
  file === undefined ? Promise.resolve(toStdout(context)) : toFile(file);

function toStdout({ outside: { stdout }, interrupted }: Context): Sink {
  return {
    async write(lines) {
      if (!stdout.write(stdout.isTTY ? harmless(lines) : lines)) await once(stdout, "drain", { signal: interrupted });
    },
    async finish() {
      await flushed(stdout);
      interrupted.throwIfAborted();
    },
    async discard() {},
    async close() {},
  };
}

async function toFile(file: string): Promise<Sink> {
  const handle = await open(file, "wx", 0o600).catch((error: NodeJS.ErrnoException) => {
    const why = error.code === "EEXIST" ? "it exists already, and an export overwrites nothing" : error.message;
    throw new Failed(`${file} cannot be written: ${why}`);
  });
  return {
    write: (lines) => handle.writeFile(lines).catch(asFailed(file)),
    finish: () => handle.sync().catch(asFailed(file)),
    discard: () => unlink(file),
    close: () => handle.close(),
  };
}

const asFailed = (file: string) => (error: Error) => {
  throw new Failed(`${file} could not be written: ${error.message}`);
};
