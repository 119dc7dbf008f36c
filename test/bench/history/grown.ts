/** Two hubs: one with a long past, one with ten thousand messages. The long one can be started again, cold. */
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { Bench } from "../bench.ts";
import { Agent } from "../os/agent.ts";
import { dropFromCache } from "../os/coldFile.ts";
import { databaseOf, startHub } from "../servers/hub.ts";
import type { Server } from "../servers/server.ts";
import type { HistoryClient } from "./client.ts";
import { PAST_DAYS, type Past } from "./fill.ts";

const STORM_READERS = 5_000;
const SMALL_MESSAGES = 10_000;

export class Grown {
  readonly past: Past;
  readonly #bench: Bench;
  readonly #small: Server;
  #server: Server;
  /** Where the log stands. */
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
    bench.progress(`history: writing ${messages} messages`);
    const server = await filled(bench, past);
    const small = await filled(bench, { messages: SMALL_MESSAGES, readers: 0 });
    const grown = new Grown(bench, past, server, small);
    grown.#to = await grown.client().ask("head", { port: server.port });
    return grown;
  }

  /** The cursor before its past began. */
  get from(): string {
    return `${this.#to.slice(0, this.#to.indexOf("."))}.0`;
  }

  /** Entries of its log. */
  get events(): number {
    return Number(this.#to.slice(this.#to.indexOf(".") + 1));
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

  /** Starts it again with a retention policy that leaves half of its past to be pruned. */
  async restartPruning(): Promise<void> {
    const { folder } = this.#server;
    await this.#server.stop();
    const env = { COORDINATION_KEEP_COMPLETE: `${PAST_DAYS / 2}d`, COORDINATION_KEEP_LOG: `${PAST_DAYS / 2}d` };
    this.#server = await startHub(this.#bench.workplace, { folder, env });
    await this.client().ask("pruning", { port: this.#server.port });
  }
}

/** A hub whose database has a past. */
async function filled(bench: Bench, { messages, readers }: Past): Promise<Server> {
  const folder = bench.workplace.folder("hub");
  const program = fileURLToPath(new URL("fillMain.js", import.meta.url));
  const { child } = bench.workplace.start(process.execPath, [program, databaseOf(folder), `${messages}`, `${readers}`]);
  const [code] = await once(child, "exit");
  if (code !== 0) throw new Error(`the database could not be filled (exit code ${code})`);
  return startHub(bench.workplace, { folder });
}
