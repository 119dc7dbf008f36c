import { Lines } from "./lines.ts";
import { LastLines, lastLines, Output } from "./output.ts";
import { progressIn, type Said } from "./progressLine.ts";

interface Readers {
  readonly onProgress: (said: Said) => void;
  /** Is given each line as soon as it is written, of stdout and stderr. */
  readonly onLine: ((line: string) => void) | undefined;
}

/** What a command writes while it does one task. */
export class Transcript {
  readonly #output = new Output();
  readonly #complaints = new LastLines();
  readonly #outLines: Lines | undefined;
  readonly #errLines: Lines;
  readonly #readers: Readers;

  constructor(readers: Readers) {
    this.#readers = readers;
    this.#outLines = readers.onLine && new Lines(readers.onLine);
    this.#errLines = new Lines((line) => this.#heard(line));
  }

  readonly stdout = (bytes: Buffer): void => {
    this.#output.add(bytes);
    this.#outLines?.add(bytes);
  };

  readonly stderr = (bytes: Buffer): void => this.#errLines.add(bytes);

  /** Nothing more is written. */
  end(): void {
    this.#outLines?.end();
    this.#errLines.end();
  }

  get result(): string {
    return this.#output.text();
  }

  /** Why it failed: the end of stderr or, when nothing is there, of stdout, where many programs say so. */
  get lastLines(): string {
    return this.#complaints.text() || lastLines(this.#output.text());
  }

  #heard(line: string): void {
    const said = progressIn(line);
    if (said) this.#readers.onProgress(said);
    else this.#complaints.add(line);
    this.#readers.onLine?.(line);
  }
}
