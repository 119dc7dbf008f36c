/** What a delivery costs the server when one event goes to a thousand readers. */
import type { Bench, Section } from "../bench.ts";
import type { LeanName } from "../lean/clients.ts";
import { EVENT } from "../lean/lean.ts";
import { Agent } from "../os/agent.ts";
import type { Row, Table } from "../report/result.ts";
import { startHub } from "../servers/hub.ts";
import { startNats } from "../servers/nats.ts";
import type { Server, Start } from "../servers/server.ts";
import { startSocketIo } from "../servers/socketIo.ts";
import { median } from "../statistics.ts";
import type { Delivered, FanoutClient } from "./client.ts";

const EVENTS_A_BURST = 64;
const HUB = "hub";

interface Contestant {
  system: string;
  durability: string;
  client: LeanName;
  start: Start;
  /** Bound of the hub's cost divided by this system's. */
  limit?: number;
}

const NONE = "none";

const CONTESTANTS: Contestant[] = [
  { system: HUB, durability: "FULL", client: "hubObservers", start: startHub },
  { system: "hub, chat to *", durability: "FULL", client: "hubInstances", start: startHub },
  { system: "socket.io", durability: NONE, client: "socketIo", start: startSocketIo, limit: 1 / 8 },
  { system: "nats-server", durability: NONE, client: "nats", start: (place) => startNats(place, "off"), limit: 1 },
];

interface Entrant {
  contestant: Contestant;
  server: Server;
  client: Agent<FanoutClient>;
  delivered: Delivered[];
}

export const fanout: Section = {
  name: "fanout",
  about: "server processor time a delivery to 1,000 subscribers, against socket.io and nats-server",
  async run(bench) {
    const { ready, skipped } = await bench.ready(CONTESTANTS, (contestant) => enter(bench, contestant));
    await takeTurns(bench, ready);
    return [table(bench, ready, skipped)];
  },
};

async function enter(bench: Bench, contestant: Contestant): Promise<Entrant> {
  const server = await contestant.start(bench.workplace);
  const client = new Agent<FanoutClient>(bench.workplace.fork(new URL("client.js", import.meta.url)).child);
  bench.progress(`fanout: ${bench.scale.subscribers} subscribers connect to ${contestant.system}`);
  await client.ask("open", { system: contestant.client, port: server.port, count: bench.scale.subscribers });
  return { contestant, server, client, delivered: [] };
}

async function takeTurns(bench: Bench, entrants: Entrant[]): Promise<void> {
  for (let round = 0; round <= bench.scale.rounds; round++) {
    for (const { contestant, server, client, delivered } of entrants) {
      bench.progress(`fanout, ${round === 0 ? "warming up" : `round ${round}`}: ${contestant.system}`);
      const bursts = { count: bench.scale.bursts, events: EVENTS_A_BURST, serverPid: server.pid };
      const measured = await client.ask("burst", bursts);
      if (round > 0) delivered.push(measured);
    }
  }
}

function table(bench: Bench, entrants: Entrant[], skipped: string[]): Table {
  const hub = entrants.find(({ contestant }) => contestant.system === HUB);
  const hubUs = hub && serverUs(hub);
  const { subscribers } = bench.scale;
  return {
    title: `Fan-out: bursts of ${EVENTS_A_BURST} events to ${subscribers.toLocaleString("en-US")} subscribers`,
    columns: ["server µs/delivery", "deliveries/s"],
    rows: entrants.map((entrant) => row(entrant, hubUs)),
    notes: [
      `hub: the readers are observers; every event is committed first. An event has about ${JSON.stringify(EVENT).length} bytes everywhere`,
      ...skipped,
    ],
  };
}

function row(entrant: Entrant, hubUs: number | undefined): Row {
  const { system, durability, limit } = entrant.contestant;
  const us = serverUs(entrant);
  const ratio = hubUs && system !== HUB ? hubUs / us : undefined;
  return {
    system,
    durability,
    values: [us, median(entrant.delivered.map(({ perSecond }) => perSecond))],
    ratio,
    budget:
      ratio && limit
        ? { what: `fan-out cost, hub ÷ ${system}`, measured: ratio, sense: "at most", limit, unit: "×" }
        : undefined,
  };
}

const serverUs = ({ delivered }: Entrant) => median(delivered.map((measured) => measured.serverUs));
