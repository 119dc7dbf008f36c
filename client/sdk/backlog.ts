import { LIMITS, type Result } from "../../shared/index.ts";
import { type Clock, sleep } from "./clock.ts";
import { HubClosed, isRetryable } from "./errors.ts";
import type { Stream } from "./stream.ts";

type List = Result<"list">;
type ReadList = (next: string | undefined) => Promise<List>;

const AGAIN_MS = 1_000;

/**
 * Tells of the messages that waited before the events that follow, exactly: the stream is held while the state is
 * read, and the log's entries that the reading contains already are left out afterwards.
 */
export class Backlog {
  readonly #stream: Stream;
  readonly #clock: Clock;
  readonly #read: ReadList;
  readonly #report: (error: unknown) => void;
  #reading = 0;
  isReading = false;

  /** @param read reads one page of the messages that wait. */
  constructor(stream: Stream, clock: Clock, read: ReadList, report: (error: unknown) => void) {
    this.#stream = stream;
    this.#clock = clock;
    this.#read = read;
    this.#report = report;
  }

  /** Begins, or begins again: an earlier reading that is not finished is given up. */
  tell(): void {
    const reading = ++this.#reading;
    const isCurrent = () => reading === this.#reading;
    this.isReading = true;
    this.#stream.hold();
    this.#tellAll(isCurrent)
      .catch((error) => error instanceof HubClosed || this.#report(error))
      .finally(() => isCurrent() && this.#end());
  }

  #end(): void {
    this.isReading = false;
    this.#stream.release();
  }

  async #tellAll(isCurrent: () => boolean): Promise<void> {
    let next: string | undefined;
    do {
      const list = await this.#readAgain(next);
      if (!isCurrent()) return;
      this.#stream.tellBacklog(list.messages, list.cursor);
      next = list.next;
      await this.#stream.drained();
    } while (next !== undefined && isCurrent());
  }

  async #readAgain(next: string | undefined): Promise<List> {
    for (;;) {
      try {
        return await this.#read(next);
      } catch (error) {
        if (!isRetryable(error)) throw error;
        await sleep(this.#clock, AGAIN_MS);
      }
    }
  }
}

/** How the waiting messages of an instance are listed. */
export const waitingFor = (name: string, next: string | undefined) => ({
  to_claude: name,
  status: "pending" as const,
  limit: LIMITS.list_messages,
  ...(next !== undefined && { next }),
});
