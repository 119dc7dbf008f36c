/**
 * A session: the hub's side of one reader of the log. It is a cursor and a view, and nothing is queued for it.
 *
 * States: `live` (at the head: a commit is pushed as it happens), `behind` (reads on towards the head, as far
 * as its window is open), `closed`.
 *
 * Invariants: pages are contiguous: each begins where the one before led. `cursor` only rises. What is on its
 * way unacknowledged never exceeds the window by more than one page.
 */
import type { EventKind } from "../../shared/event.ts";
import type { LogEntry, Reader } from "../store/store.ts";
import { addressesOf } from "../store/view.ts";
import { type Kinds, kindsOf } from "./kinds.ts";
import { ownText } from "./ownText.ts";
import type { LogPage } from "./page.ts";

export interface Window {
  readonly events: number;
  readonly bytes: number;
}

export interface SessionOptions {
  reader: Reader;
  /** Who reads, where that is not the view: an instance that is shown everything. */
  own?: Reader;
  /** The seq that the reader is past. */
  cursor: number;
  window: Window;
  /** Events in one page at most. */
  pageEvents: number;
  /** Whether acknowledged `new` events for the reader count as delivered. */
  receives: boolean;
  /** The kinds of event that it is sent; left out: all. */
  kinds?: readonly EventKind[] | undefined;
  /** Hands a page to the transport. */
  send: (page: LogPage, session: Session) => void;
  /** Told when a read of the store failed; without it the session reads again at the next occasion. */
  failed?: (error: unknown) => void;
  /** Told when what comes next for the reader is pruned; the session is closed by then. */
  lost?: () => void;
}

/** A page on its way. */
interface Unacknowledged {
  upTo: number;
  events: number;
  bytes: number;
  /** Messages that are delivered once it is acknowledged. */
  received: string[] | undefined;
}

export type SessionState = "live" | "behind" | "closed";

export class Session {
  readonly reader: Reader;
  kinds: Kinds;
  readonly pageEvents: number;
  state: SessionState = "behind";
  cursor: number;
  /** Nothing that the reader is sent lies between its cursor and here. */
  clearTo = 0;
  /** Whether a read of the store is under way for it. */
  reading = false;
  /** The reader's name first, then its pools. */
  readonly #addresses: readonly string[];
  readonly #window: Window;
  receives: boolean;
  readonly #send: SessionOptions["send"];
  readonly failed: SessionOptions["failed"];
  readonly lost: SessionOptions["lost"];
  #unacknowledged: Unacknowledged[] = [];
  #events = 0;
  #bytes = 0;

  constructor({
    reader,
    own = reader,
    kinds,
    cursor,
    window,
    pageEvents,
    receives,
    send,
    failed,
    lost,
  }: SessionOptions) {
    this.reader = reader;
    this.kinds = kindsOf(kinds);
    this.#addresses = own === null ? [] : addressesOf(own);
    this.cursor = cursor;
    this.pageEvents = pageEvents;
    this.#window = window;
    this.receives = receives;
    this.#send = send;
    this.failed = failed;
    this.lost = lost;
  }

  /** Who reads; undefined: an observer. */
  get name(): string | undefined {
    return this.#addresses[0];
  }

  /** Whether another page may be sent. */
  get open(): boolean {
    return this.#events < this.#window.events && this.#bytes < this.#window.bytes;
  }

  /** From where on to read for it. */
  get readsFrom(): number {
    return Math.max(this.cursor, this.clearTo);
  }

  /** It was at `head`, and has to read what came since. */
  fallBehind(head: number): void {
    this.state = "behind";
    this.clearTo = head;
  }

  /** Sends the next page. */
  advance(page: LogPage): void {
    this.cursor = page.upTo;
    const events = page.entries.length;
    if (events > 0) {
      const bytes = page.json.length;
      this.#unacknowledged.push({ upTo: page.upTo, events, bytes, received: this.#received(page) });
      this.#events += events;
      this.#bytes += bytes;
    }
    this.#send(page, this);
  }

  /** Takes a cumulative acknowledgement. @returns ids of messages that are delivered by it. */
  acknowledge(seq: number): string[] {
    const received: string[] = [];
    let done = 0;
    for (const page of this.#unacknowledged) {
      if (page.upTo > seq) break;
      done++;
      this.#events -= page.events;
      this.#bytes -= page.bytes;
      if (page.received) received.push(...page.received);
    }
    if (done > 0) this.#unacknowledged.splice(0, done);
    return received;
  }

  #received({ entries }: LogPage): string[] | undefined {
    if (!this.receives || this.name === undefined) return undefined;
    const mine = entries.filter((entry) => entry.kind === "new" && this.#isFor(entry));
    return mine.length === 0 ? undefined : mine.map((entry) => ownText(entry.id));
  }

  #isFor({ from, to }: LogEntry): boolean {
    return this.#addresses.includes(to) || (to === "*" && from !== this.name);
  }
}
