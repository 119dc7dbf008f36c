/**
 * Whether the database and what lies beside it are still the files that were opened. SQLite writes on to files that have
 * lost their names or were overwritten, without a word, and what it writes there is gone.
 *
 * Nobody took a name away while nothing was made, removed or renamed in the folder, which the folder's time tells; only
 * when it has changed is each file asked for its number. Asking for the write-ahead log's own number asks for its times,
 * too, and on Linux that makes the next fsync write them: a tenth of one life alone.
 *
 * A backup that was copied over the database leaves its number as it was, and changes its time, as checkpoints do. It says
 * in its header that it has no write-ahead log, so the header is read where the time has changed.
 */
import { statSync } from "node:fs";
import { dirname } from "node:path";
import { walIndexOf, walOf } from "./database.ts";
import { HEADER_BYTES, Header } from "./header.ts";

/** Younger times may stand for a later change as well: file systems count in steps of some milliseconds. */
const SETTLED_NS = 50_000_000n;

export class FilesInPlace {
  readonly #file: string;
  readonly #folder: string;
  readonly #header: Header;
  readonly #opened: readonly (bigint | undefined)[];
  /** The times that were looked into. */
  #folderTime: bigint | undefined;
  #fileTime: bigint | undefined;

  /** @param file a database that is open. */
  constructor(file: string) {
    this.#file = file;
    this.#folder = dirname(file);
    this.#header = new Header(file);
    this.#opened = numbersOf(file);
  }

  /** Looks anew. */
  check(): boolean {
    return this.#haveNames() && this.#isNotOverwritten();
  }

  #haveNames(): boolean {
    const time = look(this.#folder)?.mtimeNs;
    if (time === undefined) return false;
    if (time === this.#folderTime) return true;
    if (!numbersOf(this.#file).every((number, i) => number === this.#opened[i])) return false;
    this.#folderTime = settled(time);
    return true;
  }

  #isNotOverwritten(): boolean {
    const found = look(this.#file);
    if (found === undefined) return false;
    if (found.mtimeNs === this.#fileTime) return true;
    if (found.size < HEADER_BYTES || !this.#header.hasWal(found)) return false;
    this.#fileTime = settled(found.mtimeNs);
    return true;
  }
}

const look = (path: string) => statSync(path, { bigint: true, throwIfNoEntry: false });

const numbersOf = (file: string) => [file, walOf(file), walIndexOf(file)].map((path) => look(path)?.ino);

const settled = (time: bigint) => (BigInt(Date.now()) * 1_000_000n - time > SETTLED_NS ? time : undefined);
