/**
 * The one stream of events, out of pages from whichever line serves.
 *
 * Vocabulary. The *tail* is how far pages were received, the *cursor* how far they were told; they differ only while
 * the stream is held. An *observer* is a part of the SDK that follows every event as it is received; handlers and
 * iterators are the caller's. A *floor* is what is known of one message already, from a reading of the state.
 *
 * Invariants. A page is received only where it begins at the tail. The cursor never moves back within an epoch, unless
 * `rewind` says so. An event at or below its message's floor is not told. Every message that is told was either taken
 * by somebody, which the hub is told, or missed, and then waits for whoever listens next.
 */
import {
  EVENT_KINDS,
  type Event,
  type EventKind,
  formatCursor,
  type Message,
  type Page,
  parseCursor,
  type Welcome,
} from "../../shared/index.ts";
import type { Acks } from "./acks.ts";
import { EventQueue } from "./eventQueue.ts";
import type { HubEvent, HubEvents } from "./events.ts";
import type { Listeners } from "./listeners.ts";

interface Received {
  readonly page: Page;
  readonly bytes: number;
}

export interface StreamEnds {
  readonly acks: Acks;
  readonly listeners: Listeners<HubEvents>;
  readonly observers: readonly ((event: Event) => void)[];
  /** Somebody took a message that is new. */
  taken(message: HubEvent["message"]): void;
  /** A message came past this cursor, and there was nobody to take it. */
  missed(after: string): void;
}

export class Stream {
  readonly #ends: StreamEnds;
  readonly #acks: Acks;
  readonly #listeners: Listeners<HubEvents>;
  readonly #queues = new Set<EventQueue>();
  readonly #floors = new Map<string, number>();
  #floorsUntil = 0;
  #cursor: string | undefined;
  #tail: string | undefined;
  #held: Received[] | undefined;
  #drained: (() => void)[] = [];

  constructor(ends: StreamEnds) {
    this.#ends = ends;
    this.#acks = ends.acks;
    this.#listeners = ends.listeners;
  }

  /** Where to go on. */
  get cursor(): string | undefined {
    return this.#cursor;
  }

  /** Whether messages that come are given to somebody. */
  get receives(): boolean {
    return this.#queues.size > 0 || this.#listeners.has("new") || this.#listeners.has("event");
  }

  /** Which kinds are given to anybody but observers. */
  get heard(): readonly EventKind[] {
    const hearsAll = this.#queues.size > 0 || this.#listeners.has("event");
    return hearsAll ? EVENT_KINDS : EVENT_KINDS.filter((kind) => this.#listeners.has(kind));
  }

  get isHeard(): boolean {
    return this.heard.length > 0;
  }

  /** A session begins, where the last one ended or elsewhere. What was held comes again. */
  begin(welcome: Welcome): void {
    this.#cursor = welcome.cursor;
    this.#tail = welcome.cursor;
    if (this.#held) this.#held = [];
    if (!welcome.resumed) this.#forget(welcome.cursor);
    this.#acks.begin(welcome, welcome.cursor);
  }

  /** The next session goes on from here, wherever this one is. */
  rewind(cursor: string): void {
    this.#cursor = cursor;
    if (this.#held) this.#held = [];
    this.#forget(cursor);
  }

  /** @returns whether the page begins where the last one ended. */
  receive(page: Page, bytes: number): boolean {
    if (page.after !== this.#tail) return false;
    this.#tail = page.cursor;
    for (const event of page.events) for (const observe of this.#ends.observers) observe(event);
    if (this.#held) this.#held.push({ page, bytes });
    else this.#tellPage(page, bytes);
    return true;
  }

  /** Tells of no page until `release`. */
  hold(): void {
    this.#held ??= [];
  }

  release(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const { page, bytes } of held) this.#tellPage(page, bytes);
  }

  /**
   * Tells of messages that waited, as they were when the log stood at a cursor, or later.
   *
   * @param taken is called for each that somebody took.
   */
  tellBacklog(messages: readonly Message[], cursor: string, taken: (id: string) => void): void {
    const { seq: readAt } = parseCursor(cursor);
    for (const message of messages) {
      const { id, seq = 0 } = message;
      this.#floors.set(id, seq);
      this.#floorsUntil = Math.max(this.#floorsUntil, readAt, seq);
      this.#tell(backlogEvent(message), (_, isTaken) => {
        if (isTaken) taken(id);
      });
    }
  }

  /**
   * The events from now on, for one `for await`.
   *
   * @param onEnd is called when nobody wants them any more.
   */
  iterate(onEnd: () => void): EventQueue {
    const queue = new EventQueue(() => {
      this.#queues.delete(queue);
      this.#noteDrained();
      onEnd();
    });
    this.#queues.add(queue);
    return queue;
  }

  /** Resolves when iterators have taken all but a few of the events that they were given. */
  drained(): Promise<void> {
    if (this.#isDrained()) return Promise.resolve();
    return new Promise((resolve) => this.#drained.push(resolve));
  }

  end(error?: Error): void {
    for (const queue of [...this.#queues]) queue.end(error);
  }

  #forget(cursor: string): void {
    this.#floors.clear();
    this.#floorsUntil = 0;
    this.#acks.restart(cursor);
  }

  #tellPage(page: Page, bytes: number): void {
    this.#cursor = page.cursor;
    const { epoch, seq } = parseCursor(page.cursor);
    const delivery = this.#acks.open(page.cursor, page.events.length, bytes);
    const settled = (event: HubEvent, isTaken: boolean) => {
      if (event.kind === "new" && !isTaken) this.#ends.missed(formatCursor(epoch, event.seq - 1));
      this.#acks.settle(delivery);
    };
    for (const event of page.events) {
      if (this.#isKnown(event)) continue;
      delivery.open++;
      this.#tell(event, settled);
    }
    this.#acks.settle(delivery);
    if (seq >= this.#floorsUntil) this.#floors.clear();
  }

  #isKnown(event: Event): boolean {
    if (this.#floors.size === 0) return false;
    const floor = this.#floors.get(event.message.id);
    return floor !== undefined && event.seq <= floor;
  }

  /** @param settled is called once its handlers were started, and every iterator has taken it or gone. */
  #tell(event: HubEvent, settled: (event: HubEvent, isTaken: boolean) => void): void {
    const isHandled = this.#listeners.has(event.kind) || this.#listeners.has("event");
    this.#listeners.emit(event.kind, event as HubEvents[EventKind] & HubEvents["new"]);
    this.#listeners.emit("event", event);
    const settle = (isTaken: boolean) => {
      if (event.kind === "new" && isTaken) this.#ends.taken(event.message);
      settled(event, isTaken);
    };
    if (this.#queues.size === 0) settle(isHandled);
    else this.#queue(event, isHandled, settle);
  }

  #queue(event: HubEvent, isHandled: boolean, settle: (isTaken: boolean) => void): void {
    let isTaken = isHandled;
    let open = this.#queues.size;
    const decided = (takes: boolean) => {
      isTaken ||= takes;
      if (--open === 0) settle(isTaken);
      this.#noteDrained();
    };
    const entry = { event, taken: () => decided(true), left: () => decided(false) };
    for (const queue of [...this.#queues]) queue.push(entry);
  }

  #noteDrained(): void {
    if (this.#drained.length > 0 && this.#isDrained()) for (const resolve of this.#drained.splice(0)) resolve();
  }

  #isDrained(): boolean {
    return [...this.#queues].every((queue) => queue.size <= DRAINED_EVENTS);
  }
}

const DRAINED_EVENTS = 100;

const backlogEvent = (message: Message): HubEvent => ({
  seq: message.seq ?? 0,
  kind: "new",
  at: message.created_at,
  actor: message.from_claude,
  message,
  backlog: true,
});
