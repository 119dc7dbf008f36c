/** What a command wrote, bounded: of too much, the end is kept, because the outcome stands there. */
import { fits, jsonBytes, LIMITS } from "../../../shared/index.ts";

/** What a command wrote to stdout: the result. */
export class Output {
  #chunks: Buffer[] = [];
  #keptBytes = 0;
  #writtenBytes = 0;

  readonly add = (bytes: Buffer): void => {
    this.#chunks.push(bytes);
    if (this.#chunks.length > MOST_CHUNKS) this.#chunks = [Buffer.concat(this.#chunks)];
    this.#keptBytes += bytes.length;
    this.#writtenBytes += bytes.length;
    for (let first = this.#chunks[0]; first && this.#keptBytes - first.length >= LIMITS.result_bytes; ) {
      this.#chunks.shift();
      this.#keptBytes -= first.length;
      first = this.#chunks[0];
    }
  };

  /**
   * As a result may be: without the newlines at its end, as a shell's `$(…)`; with U+FFFD for what is no UTF-8; and with a
   * line in place of what is too much.
   */
  text(): string {
    const bytes = Buffer.concat(this.#chunks);
    const isWhole = this.#keptBytes === this.#writtenBytes;
    const text = withoutEndOfLines(decode(isWhole ? bytes : bytes.subarray(charBegin(bytes))));
    if (isWhole && fits(text, LIMITS.result_bytes)) return text;
    const note = `[of ${this.#writtenBytes} bytes of output, the beginning is left out]\n`;
    return note + ending(text, LIMITS.result_bytes - NOTE_BYTES);
  }
}

const NOTE_BYTES = 128;
/** Many small pieces take more memory than what is in them. */
const MOST_CHUNKS = 1_000;

/** The last lines of what a command wrote: why it failed. */
export class LastLines {
  readonly #lines: string[] = [];
  #chars = 0;

  add(line: string): void {
    this.#lines.push(line);
    this.#chars += line.length;
    while (this.#lines.length > LAST_LINES || (this.#lines.length > 1 && this.#chars > LIMITS.error_bytes)) {
      this.#chars -= this.#lines.shift()?.length ?? 0;
    }
  }

  text(): string {
    return lastLines(this.#lines.join("\n"));
  }
}

const LAST_LINES = 40;

/** The end of a text, as an error may be. */
export function lastLines(text: string): string {
  const lines = text.trimEnd().split("\n").slice(-LAST_LINES);
  return ending(lines.join("\n"), LIMITS.error_bytes - NOTE_BYTES);
}

const decode = (bytes: Buffer) => new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);

/** Where the first whole character begins. */
function charBegin(bytes: Buffer): number {
  let at = 0;
  while (at < 3 && ((bytes[at] ?? 0) & 0xc0) === 0x80) at++;
  return at;
}

function withoutEndOfLines(text: string): string {
  let end = text.length;
  while (text[end - 1] === "\n" || text[end - 1] === "\r") end--;
  return text.slice(0, end);
}

/** The longest ending of a text that fits into this many JSON-encoded bytes. */
function ending(text: string, limit: number): string {
  if (fits(text, limit)) return text;
  let [at, bytes] = [text.length, 0];
  for (; at > 0; at--) {
    bytes += jsonBytes(text[at - 1] as string);
    if (bytes > limit) break;
  }
  return text.slice(isLowSurrogate(text.charCodeAt(at)) ? at + 1 : at);
}

const isLowSurrogate = (unit: number) => unit >= 0xdc00 && unit <= 0xdfff;
