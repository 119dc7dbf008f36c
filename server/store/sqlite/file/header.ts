/** The first bytes of a database file, read beside SQLite. */
import { openSync, readSync, statSync } from "node:fs";

/** Of SQLite's file format. */
export const HEADER_BYTES = 100;
const WRITE_VERSION = 18;
const ROLLBACK_JOURNAL = 1;

/** Whether it has a write-ahead log, as every file that a hub has opened: a backup says that it has none. */
export function hasWal(file: string): boolean {
  const header = Buffer.alloc(HEADER_BYTES);
  const bytes = readSync(openForGood(file), header, 0, HEADER_BYTES, 0);
  return bytes < HEADER_BYTES || header[WRITE_VERSION] !== ROLLBACK_JOURNAL;
}

const openFiles = new Map<bigint, number>();

/**
 * Opens a file that is never closed again, once: closing it would let go of every lock that this process holds on it,
 * and an application may have it open itself.
 */
function openForGood(file: string): number {
  const { ino } = statSync(file, { bigint: true });
  const fd = openFiles.get(ino) ?? openSync(file, "r");
  openFiles.set(ino, fd);
  return fd;
}
