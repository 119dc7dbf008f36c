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
  /** Told when a read of the store failed; without it the session reads again at the next occasion. */
  failed?: (error: unknown) => void;
  /** Told when what comes next for the reader is pruned; the session is closed by then. */
  lost?: () => void;
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
  readonly unacknowledged = new Unacknowledged();
  /** Who reads; null: an observer. */
  readonly own: Reader;
  readonly #window: Window;
  receives: boolean;
  readonly #send: SessionOptions["send"];
  readonly failed: SessionOptions["failed"];
  readonly lost: SessionOptions["lost"];

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
    this.own = own;
    this.cursor = cursor;
    this.pageEvents = pageEvents;
    this.#window = window;
    this.receives = receives;
    this.#send = send;
    this.failed = failed;
    this.lost = lost;
  }

  /** Whether another page may be sent. */
  get open(): boolean {
    const { events, bytes } = this.unacknowledged;
    return events < this.#window.events && bytes < this.#window.bytes;
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
    const { upTo, entries, bytes } = page;
    this.cursor = upTo;
    if (entries.length > 0) {
      const received = this.receives && this.own !== null ? broughtTo(this.own, entries) : [];
      this.unacknowledged.sent({ upTo, events: entries.length, bytes, received });
    }
    this.#send(page, this);
  }
}
