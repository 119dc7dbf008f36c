/**
 * The one stream of events, out of pages from whichever line serves.
 *
 * Vocabulary. The *tail* is how far pages were received, the *cursor* how far they were told; they differ only while
 * the stream is held. An *observer* is a part of the SDK that follows every event as it is received; handlers and
 * iterators are the caller's. A *floor* is what is known of one message already, from a reading of the state. What is
 * *left* are messages that nobody took, because the last iterator was left early: they are told anew to whoever comes.
 *
 * Invariants. A page is received only where it begins at the tail. The cursor never moves back within an epoch, unless
 * `rewind` says so. An event at or below its message's floor is not told.
 */
import {
  EVENT_KINDS,
  type Event,
  type EventKind,
  type Message,
  type Page,
  parseCursor,
  type Welcome,
} from "../../shared/index.ts";
import type { Acks } from "./acks.ts";
import { EventQueue, type Untaken } from "./eventQueue.ts";
import type { HubEvent, HubEvents } from "./events.ts";
import type { Listeners } from "./listeners.ts";

interface Received {
  readonly page: Page;
  readonly bytes: number;
}

export class Stream {
  readonly #acks: Acks;
  readonly #listeners: Listeners<HubEvents>;
  readonly #observers: readonly ((event: Event) => void)[];
  readonly #queues = new Set<EventQueue>();
  readonly #floors = new Map<string, number>();
  #floorsUntil = 0;
  #left: Untaken[] = [];
  #cursor: string | undefined;
  #tail: string | undefined;
  #held: Received[] | undefined;
  #drained: (() => void)[] = [];

  constructor(acks: Acks, listeners: Listeners<HubEvents>, observers: readonly ((event: Event) => void)[]) {
    this.#acks = acks;
    this.#listeners = listeners;
    this.#observers = observers;
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
    for (const event of page.events) for (const observe of this.#observers) observe(event);
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
   * Tells of messages that waited, as they were when the hub stood at `seq`.
   *
   * @param told is called for each when it was handed over.
   */
  tellBacklog(messages: readonly Message[], seq: number, told: (id: string) => void): void {
    this.#floorsUntil = Math.max(this.#floorsUntil, seq);
    for (const message of messages) {
      if (message.seq !== undefined) this.#floors.set(message.id, message.seq);
      this.#tell(backlogEvent(message), () => told(message.id));
    }
  }

  /** How many messages are left. */
  get left(): number {
    return this.#left.length;
  }

  /** What is left, for whoever tells of it anew, and calls each taken. */
  takeLeft(): readonly Untaken[] {
    return this.#left.splice(0);
  }

  /**
   * The events from now on, for one `for await`.
   *
   * @param onEnd is called when nobody wants them any more.
   */
  iterate(onEnd: () => void): EventQueue {
    const ended = (queue: EventQueue) => {
      this.#queues.delete(queue);
      this.#noteDrained();
      onEnd();
    };
    const queue = new EventQueue({ ended, left: (untaken) => this.leave(untaken) });
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

  /** Messages stay unacknowledged until they were told anew, unless others are told of them as well. */
  leave(untaken: readonly Untaken[]): void {
    for (const entry of untaken) {
      if (entry.event.kind === "new" && !this.receives) this.#left.push(entry);
      else entry.taken();
    }
  }

  /** What is left holds up no more than half of what may be on its way: the rest of the stream goes on. */
  #yield(): void {
    if (this.#left.length === 0 || !this.#acks.areHeldUp) return;
    for (const { taken } of this.#left) taken();
    this.#left = this.#left.map(({ event }) => ({ event, taken: () => {} }));
  }

  #forget(cursor: string): void {
    this.#left = [];
    this.#floors.clear();
    this.#floorsUntil = 0;
    this.#acks.restart(cursor);
  }

  #tellPage(page: Page, bytes: number): void {
    this.#cursor = page.cursor;
    const delivery = this.#acks.open(page.cursor, page.events.length, bytes);
    const settle = () => this.#acks.settle(delivery);
    for (const event of page.events) {
      if (this.#isKnown(event)) continue;
      delivery.open++;
      this.#tell(event, settle);
    }
    settle();
    this.#yield();
    if (this.#floors.size > 0 && parseCursor(page.cursor).seq >= this.#floorsUntil) this.#floors.clear();
  }

  #isKnown(event: Event): boolean {
    if (this.#floors.size === 0) return false;
    const floor = this.#floors.get(event.message.id);
    return floor !== undefined && event.seq <= floor;
  }

  /** @param settled is called once its handlers were started, and every iterator has taken it. */
  #tell(event: HubEvent, settled: () => void): void {
    this.#listeners.emit(event.kind, event as HubEvents[EventKind] & HubEvents["new"]);
    this.#listeners.emit("event", event);
    let open = this.#queues.size;
    if (open === 0) settled();
    const taken = () => {
      if (--open === 0) settled();
      this.#noteDrained();
    };
    for (const queue of [...this.#queues]) queue.push(event, taken);
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
