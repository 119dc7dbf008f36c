/** The first bytes of a database file, read beside SQLite. */
import { type BigIntStats, fstatSync, openSync, readdirSync, readSync, statSync } from "node:fs";

/** Of SQLite's file format. */
export const HEADER_BYTES = 100;
const WRITE_VERSION = 18;
const ROLLBACK_JOURNAL = 1;

/**
 * Reads through a descriptor that is open already, SQLite's own where there is one: whoever opens the file anew must never
 * close it again, as that lets go of every lock that this process holds on it.
 */
export class Header {
  readonly #file: string;
  #fd: number | undefined;

  constructor(file: string) {
    this.#file = file;
  }

  /**
   * Whether the file has a write-ahead log, as every one that a hub has opened: a backup says that it has none.
   *
   * @param found what is found under its name now.
   */
  hasWal(found = statSync(this.#file, { bigint: true })): boolean {
    const header = Buffer.alloc(HEADER_BYTES);
    const bytes = readSync(this.#descriptorOf(found), header, 0, HEADER_BYTES, 0);
    return bytes < HEADER_BYTES || header[WRITE_VERSION] !== ROLLBACK_JOURNAL;
  }

  #descriptorOf(stat: BigIntStats): number {
    if (this.#fd === undefined || !isOpenAs(this.#fd, stat))
      this.#fd = openDescriptor(stat) ?? openForGood(this.#file, stat);
    return this.#fd;
  }
}

/** The number under which this process has the file open, where the system lists them. */
function openDescriptor(stat: BigIntStats): number | undefined {
  try {
    return readdirSync("/proc/self/fd")
      .map(Number)
      .find((fd) => isOpenAs(fd, stat));
  } catch {
    return undefined;
  }
}

function isOpenAs(fd: number, { dev, ino }: BigIntStats): boolean {
  try {
    const open = fstatSync(fd, { bigint: true });
    return open.dev === dev && open.ino === ino;
  } catch {
    return false; // nothing is open under this number any more
  }
}

const openFiles = new Map<string, number>();

function openForGood(file: string, { dev, ino }: BigIntStats): number {
  const key = `${dev} ${ino}`;
  const fd = openFiles.get(key) ?? openSync(file, "r");
  openFiles.set(key, fd);
  return fd;
}
