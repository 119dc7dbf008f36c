import { LIMITS, type Params, type Result } from "../../shared/index.ts";
import { type Clock, sleep } from "./clock.ts";
import { HubClosed, isRetryable } from "./errors.ts";
import type { Stream } from "./stream.ts";

type List = Result<"list">;
type ReadList = (params: Params<"list">) => Promise<List>;

/** Where messages may wait, as they are listed. */
export type Place = Pick<Params<"list">, "to_claude" | "open_for">;

const AGAIN_MS = 1_000;

/**
 * Tells of the messages that waited before the events that follow, exactly: the stream is held while the state is
 * read, and the log's entries that the reading contains already are left out afterwards.
 */
export class Backlog {
  readonly #places: readonly Place[];
  readonly #stream: Stream;
  readonly #clock: Clock;
  readonly #read: ReadList;
  readonly #report: (error: unknown) => void;
  #reading = 0;
  isReading = false;

  /**
   * @param places where messages may wait: those to the instance, to everyone, and to its pools.
   * @param read reads one page of them.
   */
  constructor(
    places: readonly Place[],
    stream: Stream,
    clock: Clock,
    read: ReadList,
    report: (error: unknown) => void,
  ) {
    this.#places = places;
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
    for (const place of this.#places) await this.#tellOf(place, isCurrent);
  }

  async #tellOf(place: Place, isCurrent: () => boolean): Promise<void> {
    let next: string | undefined;
    do {
      if (!isCurrent()) return;
      const list = await this.#readAgain(place, next);
      if (!isCurrent()) return;
      this.#stream.tellBacklog(list.messages, list.cursor);
      next = list.next;
      await this.#stream.drained();
    } while (next !== undefined);
  }

  async #readAgain(place: Place, next: string | undefined): Promise<List> {
    for (;;) {
      try {
        return await this.#read(waitingAt(place, next));
      } catch (error) {
        if (!isRetryable(error)) throw error;
        await sleep(this.#clock, AGAIN_MS);
      }
    }
  }
}

const waitingAt = (place: Place, next: string | undefined) => ({
  ...place,
  status: "pending" as const,
  limit: LIMITS.list_messages,
  ...(next !== undefined && { next }),
});
