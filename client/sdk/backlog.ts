import { LIMITS, type Params, type Result } from "../../shared/index.ts";
import { type Clock, sleep } from "./clock.ts";
import { HubClosed, isRetryable } from "./errors.ts";
import type { Stream } from "./stream.ts";

type List = Result<"list">;
type ReadList = (params: Params<"list">) => Promise<List>;

const AGAIN_MS = 1_000;

/**
 * Tells of the messages that waited before the events that follow, exactly: the stream is held while the state is
 * read, and the log's entries that the reading contains already are left out afterwards.
 */
export class Backlog {
  readonly #addresses: readonly string[];
  readonly #stream: Stream;
  readonly #clock: Clock;
  readonly #read: ReadList;
  readonly #report: (error: unknown) => void;
  #reading = 0;
  isReading = false;

  /**
   * @param addresses at which messages may wait: the instance's own, and those of its pools.
   * @param read reads one page of them.
   */
  constructor(
    addresses: readonly string[],
    stream: Stream,
    clock: Clock,
    read: ReadList,
    report: (error: unknown) => void,
  ) {
    this.#addresses = addresses;
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
    for (const address of this.#addresses) await this.#tellOf(address, isCurrent);
  }

  async #tellOf(address: string, isCurrent: () => boolean): Promise<void> {
    let next: string | undefined;
    do {
      if (!isCurrent()) return;
      const list = await this.#readAgain(address, next);
      if (!isCurrent()) return;
      this.#stream.tellBacklog(list.messages, list.cursor);
      next = list.next;
      await this.#stream.drained();
    } while (next !== undefined);
  }

  async #readAgain(address: string, next: string | undefined): Promise<List> {
    for (;;) {
      try {
        return await this.#read(waitingFor(address, next));
      } catch (error) {
        if (!isRetryable(error)) throw error;
        await sleep(this.#clock, AGAIN_MS);
      }
    }
  }
}

/** How the messages that wait at an address are listed. */
const waitingFor = (name: string, next: string | undefined) => ({
  to_claude: name,
  status: "pending" as const,
  limit: LIMITS.list_messages,
  ...(next !== undefined && { next }),
});
