/** How long the hub's event loop keeps others waiting while it works as hard as it can. */
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { Bench, Section } from "../bench.ts";
import type { LifecycleClient } from "../lifecycle/client.ts";
import { Agent } from "../os/agent.ts";
import type { Budget, Row, Table } from "../report/result.ts";
import { startHub } from "../servers/hub.ts";
import type { Server } from "../servers/server.ts";
import { median } from "../statistics.ts";
import type { LoopDelay } from "./probe.ts";
import { STALL_MS, slowDiskEnv } from "./slowDisk.ts";

const IN_FLIGHT = 1024;
const LIMIT_MS = 10;

interface Contestant {
  system: string;
  durability: string;
  env: (bench: Bench) => Record<string, string>;
  /** How much longer its window is than others: with a slow disk little happens in a second. */
  patience: number;
}

const CONTESTANTS: Contestant[] = [
  { system: "hub, full load", durability: "FULL", env: () => ({}), patience: 1 },
  {
    system: `hub, full load, every fsync ${STALL_MS} ms longer`,
    durability: "FULL",
    env: ({ workplace }) => slowDiskEnv(workplace.folder("slow-disk")),
    patience: 4,
  },
];

interface Entrant {
  contestant: Contestant;
  server: Server;
  client: Agent<LifecycleClient>;
  /** An idle process beside it. */
  control: ChildProcess;
  results: Result[];
}

interface Result {
  perSecond: number;
  hub: LoopDelay;
  control: LoopDelay;
}

export const loop: Section = {
  name: "loop",
  about: "event-loop delay of the hub under full load, and with a slow disk",
  async run(bench) {
    const { ready, skipped } = await bench.ready(CONTESTANTS, (contestant) => enter(bench, contestant));
    for (let round = 1; round <= bench.scale.rounds; round++) {
      for (const entrant of ready) {
        bench.progress(`loop, round ${round}: ${entrant.contestant.system}`);
        entrant.results.push(await measure(bench, entrant));
      }
    }
    return [table(ready, skipped)];
  },
};

async function enter(bench: Bench, contestant: Contestant): Promise<Entrant> {
  const probe = fileURLToPath(new URL("probe.js", import.meta.url));
  const server = await startHub(bench.workplace, {
    nodeArgs: ["--import", probe],
    env: contestant.env(bench),
    ipc: true,
  });
  const { child } = bench.workplace.fork(new URL("../lifecycle/client.js", import.meta.url));
  const control = bench.workplace.fork(new URL("control.js", import.meta.url));
  return { contestant, server, client: new Agent(child), control: control.child, results: [] };
}

/** The histograms are emptied when the load has warmed up, and read when its window is over. */
async function measure(bench: Bench, { contestant, server, client, control }: Entrant): Promise<Result> {
  const { warmUpMs } = bench.scale;
  const windowMs = bench.scale.windowMs * contestant.patience;
  const load = { inFlight: IN_FLIGHT, warmUpMs, windowMs, serverPid: server.pid };
  const loaded = client.ask("measure", { driver: "hub", port: server.port, load });
  const warm = setTimeout(() => [server.child, control].map((child) => child.send("reset")), warmUpMs);
  const { perSecond } = await loaded.finally(() => clearTimeout(warm));
  return { perSecond, hub: await delayOf(server.child), control: await delayOf(control) };
}

async function delayOf(child: ChildProcess): Promise<LoopDelay> {
  const answered = once(child, "message");
  child.send("read");
  const [delay] = (await answered) as [LoopDelay];
  return delay;
}

function table(entrants: Entrant[], skipped: string[]): Table {
  return {
    title: `Event-loop delay of the hub with ${IN_FLIGHT.toLocaleString("en-US")} tasks in flight`,
    columns: ["p50 ms", "p99 ms", "longest ms", "lifecycles/s"],
    rows: entrants.flatMap(rows),
    notes: [
      "measured in each process by Node's own monitorEventLoopDelay, every millisecond",
      "an idle process beside it: what the machine itself adds while it is that busy",
      ...skipped,
    ],
  };
}

function rows({ contestant: { system, durability }, results }: Entrant): Row[] {
  const of = (who: "hub" | "control", what: keyof LoopDelay) => median(results.map((result) => result[who][what]));
  const delays = (who: "hub" | "control") => [of(who, "p50Ms"), of(who, "p99Ms"), of(who, "maxMs")];
  const budget: Budget = {
    what: `event-loop delay p99: ${system}`,
    measured: of("hub", "p99Ms"),
    sense: "at most",
    limit: LIMIT_MS,
    unit: "ms",
  };
  const rate = median(results.map(({ perSecond }) => perSecond));
  return [
    { system, durability, values: [...delays("hub"), rate], budget },
    { system: "  an idle process beside it", durability: "", values: delays("control") },
  ];
}
