/** What an idle subscribed connection costs the server in resident memory. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Bench, Section } from "../bench.ts";
import type { LeanName } from "../lean/clients.ts";
import { Agent } from "../os/agent.ts";
import { residentBytes } from "../os/proc.ts";
import type { Budget, Row, Table } from "../report/result.ts";
import { startHub } from "../servers/hub.ts";
import { startNats } from "../servers/nats.ts";
import type { Start } from "../servers/server.ts";
import { startSocketIo } from "../servers/socketIo.ts";
import type { IdleClient } from "./client.ts";

const HUB = "hub";
const LIMIT_KIB = 14;
/** Long enough for the garbage of connecting to be collected, and for late pings to have been answered. */
const SETTLE_MS = 5_000;
/** Below what a process may open by default on most machines, with room for itself. */
const SOCKETS_A_PROCESS = 10_000;

interface Contestant {
  system: string;
  durability: string;
  client: LeanName;
  start: Start;
}

const CONTESTANTS: Contestant[] = [
  { system: HUB, durability: "FULL", client: "hubInstances", start: startHub },
  { system: "socket.io", durability: "none", client: "socketIo", start: startSocketIo },
  { system: "nats-server", durability: "none", client: "nats", start: (workplace) => startNats(workplace, "off") },
];

export const idle: Section = {
  name: "idle",
  about: "resident memory of the server for each idle subscribed connection",
  async run(bench) {
    const { ready, skipped } = await bench.ready(CONTESTANTS, async (contestant) => ({
      ...contestant,
      kib: await measure(bench, contestant),
    }));
    return [table(bench, ready, skipped)];
  },
};

/** One server at a time: what each needs for many connections would be missing for the next. */
async function measure(bench: Bench, { system, client, start }: Contestant): Promise<number> {
  const server = await start(bench.workplace);
  const { connections } = bench.scale;
  await sleep(SETTLE_MS);
  const before = residentBytes(server.pid);
  bench.progress(`idle: ${connections} connections to ${system}; ${mib(before)} MiB before`);
  const clients: Agent<IdleClient>[] = [];
  for (let first = 0; first < connections; first += SOCKETS_A_PROCESS) {
    const agent = new Agent<IdleClient>(bench.workplace.fork(new URL("client.js", import.meta.url)).child);
    const count = Math.min(SOCKETS_A_PROCESS, connections - first);
    await agent.ask("open", { system: client, port: server.port, first, count });
    clients.push(agent);
  }
  await sleep(SETTLE_MS);
  const after = residentBytes(server.pid);
  bench.progress(`idle: ${system}: ${mib(after)} MiB after`);
  await Promise.all([server.stop(), ...clients.map(({ child }) => bench.workplace.stop(child))]);
  return (after - before) / connections / 1024;
}

type Result = Contestant & { kib: number };

function table(bench: Bench, results: Result[], skipped: string[]): Table {
  const hubKib = results.find(({ system }) => system === HUB)?.kib;
  return {
    title: `Idle subscribed connections: ${bench.scale.connections.toLocaleString("en-US")} of them`,
    columns: ["KiB/connection"],
    rows: results.map((result) => row(result, hubKib)),
    notes: ["resident memory of the server, after less before; the kernel's socket buffers are not in it", ...skipped],
  };
}

function row({ system, durability, kib }: Result, hubKib: number | undefined): Row {
  const budget: Budget = {
    what: "memory of an idle connection",
    measured: kib,
    sense: "at most",
    limit: LIMIT_KIB,
    unit: "KiB",
  };
  return system === HUB
    ? { system, durability, values: [kib], budget }
    : { system, durability, values: [kib], ratio: hubKib && hubKib / kib };
}

const mib = (bytes: number) => Math.round(bytes / 1024 / 1024);
