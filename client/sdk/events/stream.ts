/**
 * The one stream of events, out of pages from whichever line serves.
 *
 * Vocabulary. The *tail* is how far pages were received, the *cursor* how far they were told; they differ only while
 * the stream is held. The *position* is how far events were handed over: it stands still while nobody listens. An
 * *observer* is a part of the SDK that follows every event as it is received; handlers and iterators are the caller's.
 * A *floor* is what is known of one message already, from a reading of the state.
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
} from "../../../shared/index.ts";
import type { SessionStart } from "../connection/transports/transport.ts";
import type { Acks } from "./acks.ts";
import { EventQueue } from "./eventQueue.ts";
import type { HubEvent, HubEvents } from "./events.ts";
import type { Listeners } from "./listeners.ts";

interface Received {
  readonly page: Page;
  readonly bytes: number;
}

/** Learns what becomes of new messages. */
export interface News {
  /** Those who listen are about to be given it. */
  given(message: HubEvent["message"]): void;
  /** One of them took it. */
  taken(message: HubEvent["message"]): void;
  /** All of them took it or have gone; nobody may have taken it. */
  settled(message: HubEvent["message"], isTaken: boolean): void;
}

interface StreamPorts {
  readonly acks: Acks;
  readonly listeners: Listeners<HubEvents>;
  readonly observers: readonly ((event: Event) => void)[];
  news(): News;
}

export class Stream {
  readonly #ports: StreamPorts;
  readonly #acks: Acks;
  readonly #listeners: Listeners<HubEvents>;
  readonly #queues = new Set<EventQueue>();
  readonly #floors = new Map<string, number>();
  #floorsUntil = 0;
  #cursor: string | undefined;
  #position: string | undefined;
  #tail: string | undefined;
  /** Rises whenever the log goes on elsewhere. */
  #era = 0;
  #held: Received[] | undefined;
  #drained: (() => void)[] = [];

  constructor(ports: StreamPorts) {
    this.#ports = ports;
    this.#acks = ports.acks;
    this.#listeners = ports.listeners;
  }

  /** Where to go on. */
  get cursor(): string | undefined {
    return this.#cursor;
  }

  /** Every event up to here was handed over. */
  get position(): string | undefined {
    return this.#position;
  }

  /** Whether messages that come are given to somebody. */
  get hasMessageListeners(): boolean {
    return this.#queues.size > 0 || this.#listeners.has("new") || this.#listeners.has("event");
  }

  /** Which kinds are given to anybody but observers. */
  get heard(): readonly EventKind[] {
    return this.#isHeardWhole ? EVENT_KINDS : EVENT_KINDS.filter((kind) => this.#listeners.has(kind));
  }

  get isHeard(): boolean {
    return this.#isHeardWhole || EVENT_KINDS.some((kind) => this.#listeners.has(kind));
  }

  /** Whether so much is held or lies untaken that the hub may send no more. */
  get isStalled(): boolean {
    const held = (this.#held ?? []).map(({ page, bytes }) => ({ events: page.events.length, bytes }));
    return this.#acks.isStalled(held);
  }

  get #isHeardWhole(): boolean {
    return this.#queues.size > 0 || this.#listeners.has("event");
  }

  /** A session begins, where the last one ended or elsewhere. What was held comes again. */
  begin({ cursor, resumed, window }: SessionStart): void {
    this.#cursor = cursor;
    this.#tail = cursor;
    this.#position ??= cursor;
    if (this.#held) this.#held = [];
    if (!resumed) this.#forget(cursor);
    this.#acks.begin(window, cursor);
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
    for (const event of page.events) for (const observe of this.#ports.observers) observe(event);
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
   * Tells of a message that waited, as it was when the log stood at a cursor.
   *
   * @param settled is called once it was taken, or everybody has gone without it.
   */
  tellBacklog(message: Message, cursor: string, settled: () => void): void {
    if (message.seq !== undefined) this.#floors.set(message.id, message.seq);
    this.#floorsUntil = Math.max(this.#floorsUntil, parseCursor(cursor).seq);
    this.#tell(backlogEvent(message), settled);
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
    this.#era++;
    this.#position = cursor;
    this.#floors.clear();
    this.#floorsUntil = 0;
    this.#acks.restart(cursor);
  }

  #tellPage(page: Page, bytes: number): void {
    this.#cursor = page.cursor;
    const { epoch, seq } = parseCursor(page.cursor);
    const delivery = this.#acks.open(page.cursor, page.events.length, bytes);
    const era = this.#era;
    const settled = (event: HubEvent, isTaken: boolean) => {
      if (era === this.#era && (isTaken || this.isHeard)) this.#position = formatCursor(epoch, event.seq);
      this.#acks.settle(delivery);
    };
    for (const event of page.events) {
      if (this.#isKnown(event)) continue;
      delivery.open++;
      this.#tell(event as HubEvent, settled);
    }
    if (delivery.open === 1 && this.isHeard) this.#position = page.cursor;
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
    if (event.kind === "new") this.#ports.news().given(event.message);
    const isHandled = this.#listeners.has(event.kind) || this.#listeners.has("event");
    this.#listeners.emit(event.kind, event as HubEvents[EventKind] & HubEvents["new"]);
    this.#listeners.emit("event", event);
    if (isHandled) this.#taken(event);
    if (this.#queues.size === 0) this.#settle(event, isHandled, settled);
    else this.#queue(event, isHandled, settled);
  }

  #queue(event: HubEvent, isHandled: boolean, settled: (event: HubEvent, isTaken: boolean) => void): void {
    let isTaken = isHandled;
    let open = this.#queues.size;
    const left = () => {
      if (--open === 0) this.#settle(event, isTaken, settled);
      this.#noteDrained();
    };
    const taken = () => {
      if (!isTaken) this.#taken(event);
      isTaken = true;
      left();
    };
    for (const queue of [...this.#queues]) queue.push({ event, taken, left });
  }

  #taken(event: HubEvent): void {
    if (event.kind === "new") this.#ports.news().taken(event.message);
  }

  #settle(event: HubEvent, isTaken: boolean, settled: (event: HubEvent, isTaken: boolean) => void): void {
    if (event.kind === "new") this.#ports.news().settled(event.message, isTaken);
    settled(event, isTaken);
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
