import { type HubError, LIMITS, type Message, type Params, parseCursor, type Result } from "../../shared/index.ts";
import { type Clock, sleep } from "./clock.ts";
import { HubClosed, isRetryable } from "./errors.ts";
import type { HubEvent } from "./events.ts";
import type { Stream } from "./stream.ts";

type List = Result<"list">;

const AGAIN_MS = 1_000;

export interface BacklogEnds {
  /** Reads a page of what waits. */
  list(params: Params<"list">): Promise<List>;
  get(id: string): Promise<Message>;
  /** A message was handed over. */
  received(id: string): void;
  report(error: unknown): void;
}

/** Where messages may wait, and how far it was read. */
type Place = Pick<Params<"list">, "to_claude" | "open_for" | "next">;

/**
 * Tells of the messages that waited before the events that follow, exactly: the stream is held while the state is
 * read, and the log's entries that the reading contains already are left out afterwards. When nobody listens any more,
 * the rest waits for the next who does.
 */
export class Backlog {
  readonly #addresses: readonly string[];
  readonly #stream: Stream;
  readonly #clock: Clock;
  readonly #ends: BacklogEnds;
  #places: Place[] = [];
  #reading = 0;
  isReading = false;

  /** @param addresses at which messages may wait: the instance's own, and those of its pools. */
  constructor(addresses: readonly string[], stream: Stream, clock: Clock, ends: BacklogEnds) {
    this.#addresses = addresses;
    this.#stream = stream;
    this.#clock = clock;
    this.#ends = ends;
  }

  /** Begins, or begins again: an earlier reading that is not finished is given up. */
  tell(): void {
    const [own = "", ...pools] = this.#addresses;
    this.#places = [{ to_claude: own }, { open_for: own }, ...pools.map((pool) => ({ to_claude: pool }))];
    this.#begin();
  }

  /** Tells what those who listened before have left. */
  goOn(): void {
    const isDue = this.#places.length > 0 || this.#stream.left > 0;
    if (isDue && !this.isReading && this.#stream.receives) this.#begin();
  }

  #begin(): void {
    const reading = ++this.#reading;
    const isWanted = () => reading === this.#reading && this.#stream.receives;
    this.isReading = true;
    this.#stream.hold();
    this.#tellLeft(isWanted)
      .then(() => this.#tellPlaces(isWanted))
      .catch((error) => this.#giveUp(error))
      .finally(() => reading === this.#reading && this.#end());
  }

  #end(): void {
    this.isReading = false;
    this.goOn();
    if (!this.isReading) this.#stream.release();
  }

  #giveUp(error: unknown): void {
    this.#places = [];
    if (!(error instanceof HubClosed)) this.#ends.report(error);
  }

  /** What iterators were given and did not take, as it is now. */
  async #tellLeft(isWanted: () => boolean): Promise<void> {
    const left = this.#stream.takeLeft();
    const now = await Promise.all(left.map(({ event }) => this.#stillWaiting(event.message)));
    if (!isWanted()) return this.#stream.leave(left);
    for (const [i, { taken }] of left.entries()) {
      const message = now[i];
      if (!message) taken();
      else this.#tellOf([message], message.seq ?? 0, taken);
    }
  }

  async #stillWaiting({ id, to_claude, from_claude }: HubEvent["message"]): Promise<Message | undefined> {
    const isMine = this.#addresses.includes(to_claude) || (to_claude === "*" && from_claude !== this.#addresses[0]);
    const message = isMine ? await this.#again(() => this.#ends.get(id)).catch(ifGone) : undefined;
    return message?.status === "pending" ? message : undefined;
  }

  #tellOf(messages: readonly Message[], seq: number, taken = () => {}): void {
    this.#stream.tellBacklog(messages, seq, (id) => {
      this.#ends.received(id);
      taken();
    });
  }

  async #tellPlaces(isWanted: () => boolean): Promise<void> {
    for (let place = this.#places[0]; place; place = this.#places[0]) {
      const params = { ...place, status: "pending", limit: LIMITS.list_messages } as const;
      const list = await this.#again(() => this.#ends.list(params));
      if (!isWanted()) return;
      this.#tellOf(list.messages, parseCursor(list.cursor).seq);
      if (list.next === undefined) this.#places.shift();
      else this.#places[0] = { ...place, next: list.next };
      await this.#stream.drained();
      if (!isWanted()) return;
    }
  }

  async #again<T>(read: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await read();
      } catch (error) {
        if (!isRetryable(error)) throw error;
        await sleep(this.#clock, AGAIN_MS);
      }
    }
  }
}

/** What was deleted meanwhile waits no more. */
function ifGone(error: unknown): undefined {
  if ((error as HubError).code !== "not_found") throw error;
}
