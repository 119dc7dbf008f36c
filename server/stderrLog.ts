/**
 * Where the hub's log goes: to stderr, as far as that takes it. A reader that does not read, or is gone, and a disk that
 * is full cost lines of the log, and neither hold up nor end the hub.
 */
import { writeSync } from "node:fs";
import { Socket } from "node:net";
import type { Writable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import { type Logger, pino } from "pino";
import { prettyFactory } from "pino-pretty";

/** How much may wait for the reader: what comes beyond is dropped. */
const WAITING_BYTES = 1024 * 1024;
/** How long the last lines may wait for the reader when the hub ends. */
const FLUSH_MS = 250;

export interface StderrLog {
  readonly logger: Logger;
  /** Waits until the reader has what was logged, but not for one that does not read. */
  flush(): Promise<void>;
}

/** One JSON line per fact; for a person at a terminal, readable. */
export function logToStderr(stderr: Writable & { isTTY?: boolean; fd: number }, level: string): StderrLog {
  stderr.on("error", () => {});
  const text: (line: string) => string = stderr.isTTY ? prettyFactory({}) : String;
  const write = stderr instanceof Socket ? writeToStream(stderr) : writeToFile(stderr.fd);
  return {
    logger: pino({ level }, { write: (line) => write(text(line)) }),
    flush: () => Promise.race([drained(stderr), delay(FLUSH_MS)]),
  };
}

/** Pipes and terminals: what they do not take at once waits. */
const writeToStream = (stream: Writable) => (text: string) => {
  if (stream.writableLength < WAITING_BYTES) stream.write(text);
};

/** A file takes each line at once or not at all; the stream would take none any more after the first failure. */
const writeToFile = (fd: number) => (text: string) => {
  try {
    writeSync(fd, text);
  } catch {} // as on a full disk
};

const drained = (stream: Writable) =>
  new Promise<void>((resolve) => {
    if (stream.writableLength === 0) resolve();
    else stream.write("", () => resolve());
  });
