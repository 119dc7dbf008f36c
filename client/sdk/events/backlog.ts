import { isFor, LIMITS, type Message, type Params, parseCursor, type Result } from "../../../shared/index.ts";
import { type Caller, insist } from "../calls/insist.ts";
import { HubClosed } from "../errors.ts";
import type { News, Stream } from "./stream.ts";

interface BacklogPorts {
  readonly caller: Caller;
  /** Somebody took a message. */
  taken(id: string): void;
  /** Messages that were taken, and the hub may not know it yet. */
  unreceived(): Iterable<string>;
  report(error: unknown): void;
}

/** Where messages may wait, and how far it was read. */
type Place = Pick<Params<"list">, "to_claude" | "open_for" | "next">;

type Addressed = Pick<Message, "id" | "to_claude" | "from_claude">;

/**
 * What is due: everything that waits, when a life begins; later what waits and nobody has taken, which is not
 * delivered. For whoever resumes, only as far as the log does not tell it: up to a seq.
 */
type Due = { readonly what: "everything" } | { readonly what: "undelivered"; readonly until: number };

const UNDELIVERED: Due = { what: "undelivered", until: Number.POSITIVE_INFINITY };

/**
 * Tells of the messages that waited before the events that follow, exactly: the stream is held while they are read, and
 * the log's entries that the reading contains already are left out afterwards.
 *
 * What is due stays so until all of it was taken. Wherever a message finds nobody, what is due has to be read anew for
 * whoever listens then; what was *taken* meanwhile, or is *in hand* of those who listen, is not told again.
 */
export class Backlog implements News {
  readonly #addresses: readonly string[];
  readonly #stream: Stream;
  readonly #ports: BacklogPorts;
  #due: Due | undefined;
  readonly #inHand = new Set<string>();
  readonly #taken = new Set<string>();
  /** Whether all that is due was told. */
  #isTold = false;
  /** How much of the last reading is not done: the reading itself, and each message that is told and not taken yet. */
  #open = 0;
  /** How often somebody was missing: an earlier reading is worth nothing. */
  #misses = 0;
  isReading = false;

  /** @param addresses at which messages may wait: the instance's own, and those of its pools; none for an observer. */
  constructor(addresses: readonly string[], stream: Stream, ports: BacklogPorts) {
    this.#addresses = addresses;
    this.#stream = stream;
    this.#ports = ports;
  }

  /** Everything that waits is due. */
  restart(): void {
    this.#taken.clear();
    this.#becomesDue({ what: "everything" });
  }

  /** The log is told from this cursor on. */
  resume(cursor: string): void {
    this.#becomesDue({ what: "undelivered", until: parseCursor(cursor).seq });
  }

  /** A message that is new found nobody, or would. */
  miss(): void {
    this.#becomesDue(this.#due?.what === "everything" ? this.#due : UNDELIVERED);
  }

  given(message: Addressed): void {
    if (isFor(message, this.#addresses)) this.#inHand.add(message.id);
  }

  taken(message: Addressed): void {
    if (isFor(message, this.#addresses)) this.#ports.taken(message.id);
  }

  settled(message: Addressed, isTaken: boolean): void {
    if (!this.#inHand.delete(message.id)) return;
    if (!isTaken) this.miss();
    else if (this.#due) this.#taken.add(message.id);
  }

  /** Tells what is due, if somebody listens. */
  tell(): void {
    const isToTell = this.#due !== undefined && !this.#isTold;
    if (isToTell && !this.isReading && this.#stream.hasMessageListeners) this.#begin();
  }

  #becomesDue(due: Due): void {
    if (this.#addresses.length === 0) return;
    this.#due = due;
    this.#isTold = false;
    this.#misses++;
  }

  #begin(): void {
    this.isReading = true;
    this.#stream.hold();
    this.#read()
      .catch((error) => this.#giveUp(error))
      .finally(() => this.#end());
  }

  #end(): void {
    this.isReading = false;
    this.tell();
    if (!this.isReading) this.#stream.release();
  }

  #giveUp(error: unknown): void {
    this.#due = undefined;
    if (!(error instanceof HubClosed)) this.#ports.report(error);
  }

  async #read(): Promise<void> {
    const misses = this.#misses;
    const isWanted = () => misses === this.#misses && this.#stream.hasMessageListeners;
    this.#open = 1;
    for (const places = this.#places(); places.length > 0 && isWanted(); ) {
      const place = places.shift() as Place;
      const unreceived = new Set(this.#ports.unreceived());
      const { messages, cursor, next } = await this.#page(place);
      if (next !== undefined) places.unshift({ ...place, next });
      const untaken = messages.filter(({ id }) => !unreceived.has(id));
      for (const message of untaken) if (isWanted() && this.#isDue(message)) this.#tell(message, cursor, misses);
      await this.#stream.drained();
    }
    if (!isWanted()) return;
    this.#isTold = true;
    this.#settle(misses);
  }

  #places(): Place[] {
    const [own = "", ...pools] = this.#addresses;
    return [{ to_claude: own }, { open_for: own }, ...pools.map((pool) => ({ to_claude: pool }))];
  }

  #page(place: Place): Promise<Result<"list">> {
    const delivered = this.#due?.what === "undelivered" ? false : undefined;
    const params = { ...place, delivered, status: "pending", limit: LIMITS.list_messages } as const;
    return insist(this.#ports.caller, "list", params);
  }

  #tell(message: Message, cursor: string, misses: number): void {
    this.#open++;
    this.#stream.tellBacklog(message, cursor, () => this.#settle(misses));
  }

  #isDue({ id, seq = 0 }: Message): boolean {
    const isKnown = this.#inHand.has(id) || this.#taken.has(id);
    return !isKnown && (this.#due?.what !== "undelivered" || seq <= this.#due.until);
  }

  /** One more part of a reading is done. */
  #settle(misses: number): void {
    if (misses !== this.#misses || --this.#open > 0) return;
    this.#due = undefined;
    this.#taken.clear();
  }
}
