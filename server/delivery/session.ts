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
import type { Reader } from "../core/view.ts";
import { type Kinds, kindsOf } from "./kinds.ts";
import type { LogPage } from "./page.ts";
import { broughtTo, Unacknowledged } from "./unacknowledged.ts";

export interface Window {
  readonly events: number;
  readonly bytes: number;
}

export interface SessionOptions {
  reader: Reader;
  /** Who reads; default: whose view it is. It differs for an instance that is shown everything (`reader` null). */
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
  /** Told when a read of the store failed; without it, the delivery's own `failed` is. */
  failed?: (error: unknown) => void;
  /** Told when what comes next for the reader is pruned; the session is closed by then. */
  lost?: () => void;
}

type SessionState = "live" | "behind" | "closed";

export class Session {
  readonly reader: Reader;
  /** Who reads; null: an observer. */
  readonly own: Reader;
  readonly pageEvents: number;
  readonly unacknowledged = new Unacknowledged();
  readonly failed: SessionOptions["failed"];
  readonly lost: SessionOptions["lost"];
  readonly #window: Window;
  readonly #send: SessionOptions["send"];
  #state: SessionState = "behind";
  #cursor: number;
  /** The log holds nothing for this reader between its cursor and this seq. */
  #scannedTo = 0;
  #isReading = false;
  #kinds: Kinds;
  #receives: boolean;

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
    this.own = own;
    this.pageEvents = pageEvents;
    this.failed = failed;
    this.lost = lost;
    this.#window = window;
    this.#send = send;
    this.#cursor = cursor;
    this.#kinds = kindsOf(kinds);
    this.#receives = receives;
  }

  get state(): SessionState {
    return this.#state;
  }

  get cursor(): number {
    return this.#cursor;
  }

  get kinds(): Kinds {
    return this.#kinds;
  }

  /** Whether another page may be sent. */
  get open(): boolean {
    const { events, bytes } = this.unacknowledged;
    return events < this.#window.events && bytes < this.#window.bytes;
  }

  /** Whether it is behind, and nothing has to be awaited before its next page. */
  get canCatchUp(): boolean {
    return this.#state === "behind" && !this.#isReading && this.open;
  }

  /** Where reading for it goes on. */
  get readsFrom(): number {
    return Math.max(this.#cursor, this.#scannedTo);
  }

  /** Changes what it is sent from now on. */
  want({ kinds, receives }: Pick<SessionOptions, "kinds" | "receives">): void {
    this.#kinds = kindsOf(kinds);
    this.#receives = receives;
  }

  /** It has caught up with the head. */
  goLive(): void {
    this.#state = "live";
  }

  /** It was at `head`, and has to read what came since. */
  fallBehind(head: number): void {
    this.#state = "behind";
    this.#scannedTo = head;
  }

  close(): void {
    this.#state = "closed";
  }

  /** A read of the store begins for it; until it has ended, there is no other. */
  readBegan(): void {
    this.#isReading = true;
  }

  readEnded(): void {
    this.#isReading = false;
  }

  /** The log was read up to there, and held nothing for it. */
  scanned(upTo: number): void {
    this.#scannedTo = upTo;
  }

  /** Sends the next page. */
  advance(page: LogPage): void {
    const { upTo, entries, bytes } = page;
    this.#cursor = upTo;
    if (entries.length > 0) {
      const received = this.#receives && this.own !== null ? broughtTo(this.own, entries) : [];
      this.unacknowledged.sent({ upTo, events: entries.length, bytes, received });
    }
    this.#send(page, this);
  }
}
