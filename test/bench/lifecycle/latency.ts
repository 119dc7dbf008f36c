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
/**
 * In flight before each turn, while everything warms up: what a compiler optimises as it runs, and gives up while nothing
 * runs, is not measured before it has. Some of it is for one in flight only: a first round is not counted.
 */
const WARM_UP = 64;
/** Both ways to work through the SDK. */
const JUDGED = new Set([HUB, HUB_WORK]);

interface Limit {
  syncMs: number;
  hopMs: number;
}

/** One turn, and the least that it could have taken, as measured before and after it. */
interface Turn extends Measured {
  limits: [Limit, Limit];
}

type Turns = Map<Entrant, Turn[]>;

export const latency: Section = {
  name: "latency",
  about: "one lifecycle alone, against what disk and sockets allow",
  async run(bench) {
    const { ready, skipped } = await enter(bench);
    return [table(await takeTurns(bench, ready), skipped)];
  },
};

/**
 * The limit is measured before and after each turn: disk and scheduler change from one minute to the next. One measurement
 * says little by itself, as it depends on the cores that the probe was given.
 */
async function takeTurns(bench: Bench, entrants: Entrant[]): Promise<Turns> {
  const turns: Turns = new Map(entrants.map((entrant) => [entrant, []]));
  const folder = bench.workplace.folder("limit");
  const limitNow = async () => ({ syncMs: fdatasyncMs(folder), hopMs: await hopMs() });
  let before = await limitNow();
  for (let round = 0; round <= bench.scale.rounds; round++) {
    for (const [entrant, taken] of turns) {
      const { system, durability } = entrant.contestant;
      bench.progress(`latency, ${round === 0 ? "warming up" : `round ${round}`}: ${system} (${durability})`);
      await entrant.measure(WARM_UP);
      const measured = await entrant.measure(1);
      const after = await limitNow();
      if (round > 0) taken.push({ ...measured, limits: [before, after] });
      before = after;
    }
  }
  return turns;
}

const limitMs = ({ syncMs, hopMs }: Limit) => COMMITS * syncMs + HOPS * hopMs;

function table(turns: Turns, skipped: string[]): Table {
  const limits = limitsOf([...turns.values()].flat());
  const hub = [...turns].find(([entrant]) => entrant.contestant.system === HUB)?.[1];
  const sync = formatNumber(median(limits.map(({ syncMs }) => syncMs)));
  const hop = formatNumber(median(limits.map((limit) => limit.hopMs)));
  return {
    title: "One task lifecycle alone: ms from send to the sender's notification",
    columns: ["p50 ms", "p99 ms"],
    rows: [
      {
        system: "the limit",
        durability: "FULL",
        values: [median(limits.map(limitMs)), undefined],
        ratio: hub && overLimit(hub),
      },
      ...[...turns].map(([entrant, taken]) => row(entrant, taken, hub && p50(hub))),
    ],
    notes: [
      `the limit, before and after each turn: ${COMMITS} × fdatasync of 4 KiB (${sync} ms) + ${HOPS} × one way over a loopback socket (${hop} ms)`,
      `before each turn all were warmed up, with ${WARM_UP} in flight, and with one for a round that is not counted`,
      `${HUB_WORK}: a task that is sent while a worker waits is claimed by the same commit`,
      ...skipped,
    ],
  };
}

function row({ contestant: { system, durability } }: Entrant, turns: Turn[], hubMs: number | undefined): Row {
  const ms = p50(turns);
  return {
    system,
    durability,
    values: [ms, median(turns.map(({ p99Ms }) => p99Ms))],
    ratio: hubMs && system !== HUB ? hubMs / ms : undefined,
    budget: JUDGED.has(system) ? budget(system, overLimit(turns)) : undefined,
  };
}

const budget = (system: string, measured: number): Budget => ({
  what: `latency of one lifecycle, ${system} ÷ limit`,
  measured,
  sense: "at most",
  limit: LIMIT,
  unit: "×",
});

const limitsOf = (turns: Turn[]) => turns.flatMap(({ limits }) => limits);
const overLimit = (turns: Turn[]) => p50(turns) / median(limitsOf(turns).map(limitMs));
const p50 = (measured: Measured[]) => median(measured.map(({ p50Ms }) => p50Ms));
