/** One lifecycle alone, against the least that it can take: three commits and six messages one way. */
import type { Bench, Section } from "../bench.ts";
import { fdatasyncMs } from "../limit/disk.ts";
import { hopMs } from "../limit/hop.ts";
import { formatNumber } from "../report/print.ts";
import type { Budget, Row, Table } from "../report/result.ts";
import { median } from "../statistics.ts";
import { type Entrant, enter, HUB, HUB_WORK } from "./entrants.ts";
import type { Measured } from "./load.ts";

const COMMITS = 3;
const HOPS = 6;
const LIMIT = 1.5;
/** Both ways to work through the SDK. */
const JUDGED = new Set([HUB, HUB_WORK]);

interface Results {
  syncs: number[];
  hops: number[];
  systems: Map<Entrant, Measured[]>;
}

export const latency: Section = {
  name: "latency",
  about: "one lifecycle alone, against what disk and sockets allow",
  async run(bench) {
    const { ready, skipped } = await enter(bench);
    return [table(await takeTurns(bench, ready), skipped)];
  },
};

async function takeTurns(bench: Bench, entrants: Entrant[]): Promise<Results> {
  const results: Results = { syncs: [], hops: [], systems: new Map(entrants.map((entrant) => [entrant, []])) };
  const folder = bench.workplace.folder("limit");
  for (let round = 1; round <= bench.scale.rounds; round++) {
    results.syncs.push(fdatasyncMs(folder));
    results.hops.push(await hopMs());
    for (const [entrant, measured] of results.systems) {
      bench.progress(`latency, round ${round}: ${entrant.contestant.system} (${entrant.contestant.durability})`);
      measured.push(await entrant.measure(1));
    }
  }
  return results;
}

function table({ syncs, hops, systems }: Results, skipped: string[]): Table {
  const [sync, hop] = [median(syncs), median(hops)];
  const limitMs = COMMITS * sync + HOPS * hop;
  const hub = [...systems].find(([entrant]) => entrant.contestant.system === HUB);
  const hubMs = hub && p50(hub[1]);
  const rows = [...systems].map(([entrant, measured]) => row(entrant, measured, { limitMs, hubMs }));
  return {
    title: "One task lifecycle alone: ms from send to the sender's notification",
    columns: ["p50 ms", "p99 ms"],
    rows: [
      { system: "the limit", durability: "FULL", values: [limitMs, undefined], ratio: hubMs && hubMs / limitMs },
      ...rows,
    ],
    notes: [
      `the limit: ${COMMITS} × fdatasync of 4 KiB (${formatNumber(sync)} ms) + ${HOPS} × one way over a loopback socket (${formatNumber(hop)} ms)`,
      `${HUB_WORK}: a task that is sent while a worker waits is claimed by the same commit`,
      ...skipped,
    ],
  };
}

interface Against {
  limitMs: number;
  hubMs: number | undefined;
}

function row({ contestant: { system, durability } }: Entrant, measured: Measured[], { limitMs, hubMs }: Against): Row {
  const ms = p50(measured);
  return {
    system,
    durability,
    values: [ms, median(measured.map(({ p99Ms }) => p99Ms))],
    ratio: hubMs && system !== HUB ? hubMs / ms : undefined,
    budget: JUDGED.has(system) ? budget(system, ms / limitMs) : undefined,
  };
}

const budget = (system: string, measured: number): Budget => ({
  what: `latency of one lifecycle, ${system} ÷ limit`,
  measured,
  sense: "at most",
  limit: LIMIT,
  unit: "×",
});

const p50 = (measured: Measured[]) => median(measured.map(({ p50Ms }) => p50Ms));
