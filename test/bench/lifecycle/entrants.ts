/** The systems that do the same task lifecycles, each with its server and its client process. */
import type { Bench } from "../bench.ts";
import { Agent } from "../os/agent.ts";
import { startHub } from "../servers/hub.ts";
import { startNats } from "../servers/nats.ts";
import { startRedis } from "../servers/redis.ts";
import type { Server, Start } from "../servers/server.ts";
import type { DriverName, LifecycleClient } from "./client.ts";
import type { Measured } from "./load.ts";

export interface Contestant {
  system: string;
  durability: string;
  driver: DriverName;
  start: Start;
  /** Bounds of the hub's throughput divided by this system's. */
  throughput?: { limit: number; aim: number };
}

export const HUB = "hub";
export const HUB_WORK = "hub, hub.work()";
export const BULL_MQ = "BullMQ on Redis";

const CONTESTANTS: Contestant[] = [
  { system: HUB, durability: "FULL", driver: "hub", start: startHub },
  { system: HUB_WORK, durability: "FULL", driver: "hubWork", start: startHub },
  { system: "hub, raw socket", durability: "FULL", driver: "hubSocket", start: startHub },
  {
    system: "NATS JetStream",
    durability: "none: fsync every 2 min (its default)",
    driver: "jetStream",
    start: (workplace) => startNats(workplace, "default"),
    throughput: { limit: 1.3, aim: 2 },
  },
  {
    system: "NATS JetStream, the hub's promises",
    durability: "none: fsync every 2 min (its default)",
    driver: "jetStreamKeptPromises",
    start: (workplace) => startNats(workplace, "default"),
    throughput: { limit: 1.3, aim: 2 },
  },
  {
    system: "NATS JetStream",
    durability: "FULL: sync always",
    driver: "jetStream",
    start: (workplace) => startNats(workplace, "always"),
  },
  {
    system: `${BULL_MQ}, pipelined equally`,
    durability: "FULL: appendfsync always",
    driver: "bullMqPipelined",
    start: (workplace) => startRedis(workplace, "always"),
    throughput: { limit: 4, aim: 5 },
  },
  {
    system: BULL_MQ,
    durability: "FULL: appendfsync always",
    driver: "bullMq",
    start: (workplace) => startRedis(workplace, "always"),
    throughput: { limit: 4, aim: 5 },
  },
  {
    system: BULL_MQ,
    durability: "last second: appendfsync everysec",
    driver: "bullMq",
    start: (workplace) => startRedis(workplace, "everysec"),
  },
];

/** A contestant that is up. */
export class Entrant {
  readonly contestant: Contestant;
  readonly #bench: Bench;
  readonly #server: Server;
  readonly #client: Agent<LifecycleClient>;

  private constructor(bench: Bench, contestant: Contestant, server: Server, client: Agent<LifecycleClient>) {
    this.#bench = bench;
    this.contestant = contestant;
    this.#server = server;
    this.#client = client;
  }

  static async start(bench: Bench, contestant: Contestant): Promise<Entrant> {
    const server = await contestant.start(bench.workplace);
    const { child } = bench.workplace.fork(new URL("client.js", import.meta.url));
    const entrant = new Entrant(bench, contestant, server, new Agent(child));
    await entrant.#measure(1, { warmUpMs: 0, windowMs: 100 }); // says what is missing
    return entrant;
  }

  /** Where its data is. */
  get folder(): string {
    return this.#server.folder;
  }

  measure(inFlight: number): Promise<Measured> {
    return this.#measure(inFlight, this.#bench.scale);
  }

  #measure(inFlight: number, { warmUpMs, windowMs }: { warmUpMs: number; windowMs: number }): Promise<Measured> {
    const { pid: serverPid, port } = this.#server;
    const load = { inFlight, warmUpMs, windowMs, serverPid };
    return this.#client.ask("measure", { driver: this.contestant.driver, port, load });
  }
}

/** Starts all contestants that this machine can run, and says which it cannot. */
export const enter = (bench: Bench) => bench.ready(CONTESTANTS, (contestant) => Entrant.start(bench, contestant));
