import { type HubError, LIMITS, type Message, type Params, parseCursor, type Result } from "../../shared/index.ts";
import { type Clock, sleep } from "./clock.ts";
import { HubClosed, isRetryable } from "./errors.ts";
import type { Stream } from "./stream.ts";

const AGAIN_MS = 1_000;

export interface BacklogEnds {
  /** Reads a page of what waits. */
  list(params: Params<"list">): Promise<Result<"list">>;
  /** Reads a page of the log. */
  events(params: Params<"events">): Promise<Result<"events">>;
  get(id: string): Promise<Message>;
  report(error: unknown): void;
}

/** What waits at an address, or what came past a cursor. */
type Place = Pick<Params<"list">, "to_claude" | "open_for" | "next"> | { readonly after: string };

interface Reading {
  readonly messages: readonly Message[];
  /** Where the log stood. */
  readonly cursor: string;
  /** Where to read on. */
  readonly next: Place | undefined;
}

/**
 * Tells of the messages that waited before the events that follow, exactly: the stream is held while they are read, and
 * the log's entries that the reading contains already are left out afterwards.
 *
 * What is *due* is everything that waits, when a session begins; later what came past the cursor where the last
 * listener went, or where a message found nobody. It stays due until all of it was taken; *told* is what was taken of
 * it so far.
 */
export class Backlog {
  readonly #addresses: readonly string[];
  readonly #stream: Stream;
  readonly #clock: Clock;
  readonly #ends: BacklogEnds;
  #due: "everything" | { readonly after: string } | undefined;
  readonly #told = new Set<string>();
  /** Whether all that is due was told to those who listen now. */
  #isTold = false;
  /** What came up to here was read. */
  #readTo: string | undefined;
  /** How much of a reading is not done: the reading itself, and each message that is told and not taken yet. */
  #open = 0;
  #reading = 0;
  isReading = false;

  /** @param addresses at which messages may wait: the instance's own, and those of its pools; none for an observer. */
  constructor(addresses: readonly string[], stream: Stream, clock: Clock, ends: BacklogEnds) {
    this.#addresses = addresses;
    this.#stream = stream;
    this.#clock = clock;
    this.#ends = ends;
  }

  /** Whether a message is told to this instance as one of those it is for. */
  isFor({ to_claude, from_claude }: Pick<Message, "to_claude" | "from_claude">): boolean {
    const [own] = this.#addresses;
    return this.#addresses.includes(to_claude) || (to_claude === "*" && own !== undefined && from_claude !== own);
  }

  /** From where on somebody was missing; undefined: nobody was, or everything is due. */
  get missedAfter(): string | undefined {
    return typeof this.#due === "object" ? this.#due.after : undefined;
  }

  /** Everything that waits is due. */
  restart(): void {
    if (this.#addresses.length === 0) return;
    this.#due = "everything";
    this.#isTold = false;
    this.#readTo = undefined;
    this.#told.clear();
    if (this.isReading) this.#begin();
  }

  /** What comes past this cursor finds nobody, until somebody listens. */
  miss(cursor: string | undefined): void {
    this.#isTold = false;
    if (this.#addresses.length === 0 || cursor === undefined || this.#due === "everything") return;
    const after = this.#readTo !== undefined && isPast(this.#readTo, cursor) ? this.#readTo : cursor;
    if (!this.#due || isPast(this.#due.after, after)) this.#due = { after };
  }

  /** Tells what is due, if somebody listens. */
  tell(): void {
    const isToTell = this.#due !== undefined && !this.#isTold;
    if (isToTell && !this.isReading && this.#stream.receives) this.#begin();
  }

  #begin(): void {
    const reading = ++this.#reading;
    this.#open = 1;
    this.isReading = true;
    this.#stream.hold();
    this.#read(reading)
      .catch((error) => this.#failed(error))
      .finally(() => reading === this.#reading && this.#end());
  }

  #end(): void {
    this.isReading = false;
    this.tell();
    if (!this.isReading) this.#stream.release();
  }

  #failed(error: unknown): void {
    this.#due = undefined;
    if ((error as HubError).code === "cursor_lost") this.restart();
    else if (!(error instanceof HubClosed)) this.#ends.report(error);
  }

  async #read(reading: number): Promise<void> {
    const isWanted = () => reading === this.#reading && this.#stream.receives;
    const places = this.#places();
    let readTo: string | undefined;
    for (let place = places.shift(); place; place = places.shift()) {
      const { messages, cursor, next } = await this.#page(place);
      if (!isWanted()) return;
      this.#tellPage(reading, messages, cursor);
      if (next) places.unshift(next);
      if ("after" in place) readTo = cursor;
      else readTo ??= cursor;
      await this.#stream.drained();
      if (!isWanted()) return;
    }
    this.#isTold = true;
    this.#readTo = readTo;
    this.#settle(reading);
  }

  #places(): Place[] {
    if (this.#due !== "everything") return this.#due ? [this.#due] : [];
    const [own = "", ...pools] = this.#addresses;
    return [{ to_claude: own }, { open_for: own }, ...pools.map((pool) => ({ to_claude: pool }))];
  }

  #page(place: Place): Promise<Reading> {
    return this.#again(() => ("after" in place ? this.#missed(place.after) : this.#waiting(place)));
  }

  async #waiting(place: Params<"list">): Promise<Reading> {
    const list = await this.#ends.list({ ...place, status: "pending", limit: LIMITS.list_messages });
    const { messages, cursor, next } = list;
    return { messages, cursor, next: next === undefined ? undefined : { ...place, next } };
  }

  /** What came past a cursor and still waits, as it is now. */
  async #missed(after: string): Promise<Reading> {
    const { events, cursor } = await this.#ends.events({ after, kinds: ["new"], limit: LIMITS.list_messages });
    const mine = events.filter(({ message }) => this.isFor(message));
    const messages = (await Promise.all(mine.map(({ message }) => this.#ifWaiting(message.id)))).flat();
    const next = events.length > 0 ? { after: cursor } : undefined;
    return { messages, cursor, next };
  }

  /** What was deleted or has ended waits no more. */
  async #ifWaiting(id: string): Promise<readonly Message[]> {
    try {
      const message = await this.#ends.get(id);
      return message.status === "pending" ? [message] : [];
    } catch (error) {
      if ((error as HubError).code !== "not_found") throw error;
      return [];
    }
  }

  #tellPage(reading: number, messages: readonly Message[], cursor: string): void {
    const untold = messages.filter(({ id }) => !this.#told.has(id));
    this.#open += untold.length;
    this.#stream.tellBacklog(untold, cursor, (id) => {
      if (reading !== this.#reading) return;
      this.#told.add(id);
      this.#settle(reading);
    });
  }

  /** One more part of a reading is done. */
  #settle(reading: number): void {
    if (reading !== this.#reading || --this.#open > 0) return;
    this.#due = undefined;
    this.#told.clear();
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

const isPast = (cursor: string, other: string): boolean => parseCursor(cursor).seq > parseCursor(other).seq;
