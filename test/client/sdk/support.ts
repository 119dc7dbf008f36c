/** What the tests of the SDK share: clients that are closed again, and collected events that can be waited for. */
import { join as path } from "node:path";
import { type ConnectOptions, connect, type Hub, type HubEvents } from "../../../client/sdk/index.ts";
import { defer } from "../../support/defer.ts";
import { startHub, type TestHub } from "../../support/hub.ts";
import { FaultProxy } from "../../support/proxy.ts";
import type { Random } from "../../support/random.ts";
import { tempDir } from "../../support/tempDir.ts";

/** Comes back soon after a loss: what a test waits for is the line, not the back-off. */
export const SOON = { random: () => 0.02 };

/** Connects; closed when the test ends. */
export async function join(url: string, options: ConnectOptions = {}): Promise<Hub> {
  const hub = await connect({ url, ...SOON, ...options });
  defer(() => hub.close());
  return hub;
}

/** The base of a hub's REST paths as seen through a proxy. */
export const through = (proxy: { port: number }) => `http://127.0.0.1:${proxy.port}/api/coord`;

interface Proxied {
  server: TestHub;
  proxy: FaultProxy;
  /** Where clients connect whose line shall break. */
  url: string;
}

/** A hub, and a proxy before it that can break lines. */
export async function startProxied(random?: Random): Promise<Proxied> {
  const server = await startHub();
  const proxy = await FaultProxy.start({ port: server.port }, random);
  return { server, proxy, url: through(proxy) };
}

/** Everything of a kind that a hub tells from now on. */
export class Heard<K extends keyof HubEvents> {
  readonly all: HubEvents[K][] = [];
  /** Listens no longer. */
  readonly off: () => void;
  readonly #looks = new Set<(newest: HubEvents[K]) => void>();

  constructor(hub: Hub, kind: K) {
    this.off = hub.on(kind, (value) => {
      this.all.push(value);
      for (const look of [...this.#looks]) look(value);
    });
  }

  /** Resolves with the first value that is wanted, of those that came or will come. */
  async find(wanted: (value: HubEvents[K]) => boolean): Promise<HubEvents[K]> {
    return this.all.find(wanted) ?? this.#next(wanted);
  }

  /** Resolves when so many came, with all of them. */
  async count(count: number): Promise<HubEvents[K][]> {
    if (this.all.length < count) await this.#next(() => this.all.length >= count);
    return this.all;
  }

  #next(wanted: (value: HubEvents[K]) => boolean): Promise<HubEvents[K]> {
    return new Promise((resolve) => {
      const look = (newest: HubEvents[K]) => {
        if (!wanted(newest)) return;
        this.#looks.delete(look);
        resolve(newest);
      };
      this.#looks.add(look);
    });
  }
}

/** Resolves when the hub is in a state. */
export async function reaches(hub: Hub, ...states: Hub["state"][]): Promise<void> {
  if (states.includes(hub.state)) return;
  await new Promise<void>((resolve) => {
    const off = hub.on("state", ({ state }) => {
      if (!states.includes(state)) return;
      off();
      resolve();
    });
  });
}

/** A promise that will be looked at later: that it fails until then is no unhandled rejection. */
export function later<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {});
  return promise;
}

/** Keeps how things stand. @returns what ends the hub and starts another one from there, at the same address. */
export async function backUp({ hub, port, close }: TestHub): Promise<() => Promise<TestHub>> {
  const db = path(tempDir(), "backup.db");
  await hub.backup(db);
  return async () => {
    await close();
    return await startHub({ port, db });
  };
}
