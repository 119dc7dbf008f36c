/**
 * Flow control: how far events are dealt with, and when to tell the hub, which then sends more.
 *
 * A page is *settled* when its handlers were started and every iterator has taken its events or gone. Acknowledgements
 * ride behind requests that are sent anyway; otherwise they wait a little for each other, unless half of the hub's
 * window is unacknowledged.
 */
import type { Welcome } from "../../../shared/index.ts";
import type { Clock } from "../clock.ts";

const COALESCE_MS = 50;

/** One page on its way to those who listen. */
interface Delivery {
  readonly cursor: string;
  readonly events: number;
  readonly bytes: number;
  /** How much of it is not settled yet. */
  open: number;
}

export class Acks {
  readonly #clock: Clock;
  readonly #onDue: () => void;
  readonly #deliveries: Delivery[] = [];
  #window: Welcome["window"] = { events: Number.POSITIVE_INFINITY, bytes: Number.POSITIVE_INFINITY };
  /** The cursor of the last page before which all are settled. */
  #settledTo: string | undefined;
  #events = 0;
  #bytes = 0;
  #armed = false;

  /** @param onDue is called when an acknowledgement should be sent. */
  constructor(clock: Clock, onDue: () => void) {
    this.#clock = clock;
    this.#onDue = onDue;
  }

  /**
   * Whether so much lies untaken that the hub may send no more.
   *
   * @param held pages that are not on their way yet.
   */
  isStalled(held: readonly Pick<Delivery, "events" | "bytes">[]): boolean {
    const untaken = [...this.#deliveries, ...held];
    return this.#isHalfOpen(
      untaken.reduce((sum, { events }) => sum + events, 0),
      untaken.reduce((sum, { bytes }) => sum + bytes, 0),
    );
  }

  /** A session begins. */
  begin(window: Welcome["window"], cursor: string): void {
    this.#window = window;
    this.#events = 0;
    this.#bytes = 0;
    if (this.#deliveries.length === 0) this.#settledTo = cursor;
  }

  /** The log goes on elsewhere: what is not settled belongs to no session any more. */
  restart(cursor: string): void {
    this.#deliveries.length = 0;
    this.#settledTo = cursor;
  }

  /** A page is about to be handed over; `settle` it when all its handlers were started. */
  open(cursor: string, events: number, bytes: number): Delivery {
    const delivery = { cursor, events, bytes, open: 1 };
    this.#deliveries.push(delivery);
    return delivery;
  }

  /** One more part of a page is settled. */
  settle(delivery: Delivery): void {
    if (--delivery.open > 0) return;
    let settled = 0;
    while (this.#deliveries[settled]?.open === 0) this.#pass(this.#deliveries[settled++] as Delivery);
    if (settled > 0) this.#deliveries.splice(0, settled);
    this.#tell();
  }

  /** The cursor to acknowledge now, if there is anything to acknowledge. */
  take(): string | undefined {
    if (this.#events === 0) return undefined;
    this.#events = 0;
    this.#bytes = 0;
    return this.#settledTo;
  }

  #pass({ cursor, events, bytes }: Delivery): void {
    this.#settledTo = cursor;
    this.#events += events;
    this.#bytes += bytes;
  }

  #tell(): void {
    if (this.#isHalfOpen(this.#events, this.#bytes)) this.#onDue();
    else if (this.#events > 0 && !this.#armed) this.#arm();
  }

  #isHalfOpen(events: number, bytes: number): boolean {
    return events * 2 >= this.#window.events || bytes * 2 >= this.#window.bytes;
  }

  #arm(): void {
    this.#armed = true;
    this.#clock.after(COALESCE_MS, () => {
      this.#armed = false;
      if (this.#events > 0) this.#onDue();
    });
  }
}
