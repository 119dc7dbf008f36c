/** The client process of one system: its readers and its publisher. */

import { LEAN, type LeanName } from "../lean/clients.ts";
import { openMany, type Publisher } from "../lean/lean.ts";
import { serve } from "../os/agent.ts";
import { cpuSeconds } from "../os/proc.ts";

export interface Bursts {
  count: number;
  /** Events in each. */
  events: number;
  serverPid: number;
}

export interface Delivered {
  perSecond: number;
  /** The server's processor time a delivery, in microseconds. */
  serverUs: number;
}

const PATIENCE_MS = 60_000;

/** Deliveries counted, and who waits for how many. */
class Counter {
  #count = 0;
  #target = 0;
  #reached = () => {};

  add = (events: number): void => {
    this.#count += events;
    if (this.#count >= this.#target) this.#reached();
  };

  /** Resolves when so many more have come. */
  more(events: number): Promise<void> {
    this.#target += events;
    const target = this.#target;
    return new Promise((resolve, reject) => {
      const late = () => reject(new Error(`only ${this.#count} of ${target} events came within ${PATIENCE_MS} ms`));
      const timer = setTimeout(late, PATIENCE_MS);
      this.#reached = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

const counter = new Counter();
let publisher: Publisher;
let readers = 0;

const handlers = {
  async open({ system, port, count }: { system: LeanName; port: number; count: number }): Promise<void> {
    await openMany(count, (index) => LEAN[system].reader(port, index, counter.add));
    publisher = await LEAN[system].publisher(port);
    readers = count;
  },

  async burst({ count, events, serverPid }: Bursts): Promise<Delivered> {
    const begin = { at: performance.now(), cpu: cpuSeconds(serverPid) };
    for (let i = 0; i < count; i++) {
      const arrived = counter.more(events * readers);
      publisher.publish(events);
      await arrived;
    }
    const deliveries = count * events * readers;
    return {
      perSecond: (deliveries * 1000) / (performance.now() - begin.at),
      serverUs: ((cpuSeconds(serverPid) - begin.cpu) * 1e6) / deliveries,
    };
  },
};

export type FanoutClient = typeof handlers;

serve(handlers);
