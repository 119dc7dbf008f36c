/** Two hubs: one with a long past, one with ten thousand messages. The long one can be started again, cold. */
import type { Bench } from "../bench.ts";
import { Agent } from "../os/agent.ts";
import { dropFromCache } from "../os/coldFile.ts";
import { startHub } from "../servers/hub.ts";
import type { Server } from "../servers/server.ts";
import type { HistoryClient } from "./client.ts";
import type { Past } from "./fill.ts";

const STORM_READERS = 5_000;
const SMALL_MESSAGES = 10_000;

export class Grown {
  readonly past: Past;
  readonly #bench: Bench;
  readonly #small: Server;
  #server: Server;
  /** Where the log stood before it was filled, and after. */
  #from = "";
  #to = "";

  private constructor(bench: Bench, past: Past, server: Server, small: Server) {
    this.#bench = bench;
    this.past = past;
    this.#server = server;
    this.#small = small;
  }

  static async create(bench: Bench): Promise<Grown> {
    const { messages } = bench.scale;
    const past = { messages, readers: Math.min(STORM_READERS, Math.floor(messages / 100)) };
    const [server, small] = await Promise.all([startHub(bench.workplace), startHub(bench.workplace)]);
    const grown = new Grown(bench, past, server, small);
    await grown.#fill();
    return grown;
  }

  /** The cursor before its past began. */
  get from(): string {
    return this.#from;
  }

  /** Entries of its log. */
  get events(): number {
    return seqOf(this.#to) - seqOf(this.#from);
  }

  get ports(): { grown: number; small: number } {
    return { grown: this.#server.port, small: this.#small.port };
  }

  client(): Agent<HistoryClient> {
    return new Agent(this.#bench.workplace.fork(new URL("client.js", import.meta.url)).child);
  }

  /** @returns seconds from the start of the process until it is ready, nothing of its file in memory. */
  async restart(): Promise<number> {
    const { folder } = this.#server;
    await this.#server.stop();
    dropFromCache(folder);
    const begin = performance.now();
    this.#server = await startHub(this.#bench.workplace, { folder });
    return (performance.now() - begin) / 1000;
  }

  async #fill(): Promise<void> {
    const client = this.client();
    const { grown: port, small } = this.ports;
    this.#from = await client.ask("head", { port });
    this.#bench.progress(`history: writing ${this.past.messages} messages`);
    await client.ask("fill", { port, past: this.past });
    this.#to = await client.ask("head", { port });
    await client.ask("fill", { port: small, past: { messages: SMALL_MESSAGES, readers: 0 } });
    await this.#bench.workplace.stop(client.child);
  }
}

const seqOf = (cursor: string) => Number(cursor.slice(cursor.indexOf(".") + 1));
