/** One lifecycle alone, against the least that it can take: three commits and six messages one way. */
import type { Bench, Section } from "../bench.ts";
import { fdatasyncMs } from "../limit/disk.ts";
import { hopMs } from "../limit/hop.ts";
import { formatNumber } from "../report/print.ts";
import type { Row, Table } from "../report/result.ts";
import { median } from "../statistics.ts";
import { type Entrant, enter, HUB } from "./entrants.ts";
import type { Measured } from "./load.ts";

const COMMITS = 3;
const HOPS = 6;
const LIMIT = 1.5;

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
  return {
    title: "One task lifecycle alone: ms from send to the sender's notification",
    columns: ["p50 ms", "p99 ms"],
    rows: [limitRow(limitMs, hubMs), ...[...systems].map(([entrant, measured]) => row(entrant, measured, hubMs))],
    notes: [
      `the limit: ${COMMITS} × fdatasync of 4 KiB (${formatNumber(sync)} ms) + ${HOPS} × one way over a loopback socket (${formatNumber(hop)} ms)`,
      ...skipped,
    ],
  };
}

function limitRow(limitMs: number, hubMs: number | undefined): Row {
  const ratio = hubMs && hubMs / limitMs;
  const budget = ratio && {
    what: "latency of one lifecycle, hub ÷ limit",
    measured: ratio,
    sense: "at most" as const,
    limit: LIMIT,
    unit: "×",
  };
  return { system: "the limit", durability: "FULL", values: [limitMs, undefined], ratio, budget: budget || undefined };
}

function row(entrant: Entrant, measured: Measured[], hubMs: number | undefined): Row {
  const { system, durability } = entrant.contestant;
  const ms = p50(measured);
  return {
    system,
    durability,
    values: [ms, median(measured.map(({ p99Ms }) => p99Ms))],
    ratio: hubMs && system !== HUB ? hubMs / ms : undefined,
  };
}

const p50 = (measured: Measured[]) => median(measured.map(({ p50Ms }) => p50Ms));
