/** A line that does not end is cut into pieces of this length. */
const LONGEST_CHARS = 16 * 1024;

/** Bytes as lines of text. Of a line that a carriage return has written anew, as progress bars do, the last state counts. */
export class Lines {
  readonly #onLine: (line: string) => void;
  readonly #decoder = new TextDecoder();
  #rest = "";

  constructor(onLine: (line: string) => void) {
    this.#onLine = onLine;
  }

  readonly add = (bytes: Buffer): void => {
    const lines = (this.#rest + this.#decoder.decode(bytes, { stream: true })).split("\n");
    this.#rest = lines.pop() as string;
    for (const line of lines) this.#tell(line);
    while (this.#rest.length > LONGEST_CHARS) {
      this.#tell(this.#rest.slice(0, LONGEST_CHARS));
      this.#rest = this.#rest.slice(LONGEST_CHARS);
    }
  };

  end(): void {
    const rest = this.#rest + this.#decoder.decode();
    this.#rest = "";
    if (rest !== "") this.#tell(rest);
  }

  #tell(line: string): void {
    const shown = line.endsWith("\r") ? line.slice(0, -1) : line;
    this.#onLine(shown.slice(shown.lastIndexOf("\r") + 1));
  }
}
