/** Lifecycles a second, by how many are on their way at once. */
import type { Bench, Section } from "../bench.ts";
import { fdatasyncMs } from "../limit/disk.ts";
import { formatNumber } from "../report/print.ts";
import type { Budget, Row, Table } from "../report/result.ts";
import { median } from "../statistics.ts";
import { BULL_MQ, type Entrant, enter, HUB, HUB_WORK } from "./entrants.ts";
import type { Measured } from "./load.ts";

const LEVELS = [1, 16, 256, 1024];

/** What one system reached: one list of rounds a level. */
type Rounds = Map<number, Measured[]>;

export const throughput: Section = {
  name: "lifecycle",
  about: "durable task lifecycles a second, against JetStream and BullMQ",
  async run(bench) {
    const { ready, skipped } = await enter(bench);
    const syncs: number[] = [];
    const results = await takeTurns(bench, ready, syncs);
    const sync = `fdatasync of 4 KiB before each turn: ${syncs.map(formatNumber).join(", ")} ms`;
    return [table(results, [sync, ...skipped])];
  },
};

async function takeTurns(bench: Bench, entrants: Entrant[], syncs: number[]): Promise<Map<Entrant, Rounds>> {
  const results = new Map(entrants.map((entrant) => [entrant, new Map<number, Measured[]>()]));
  for (let round = 1; round <= bench.scale.rounds; round++) {
    for (const level of LEVELS) {
      syncs.push(fdatasyncMs(bench.workplace.path));
      for (const [entrant, rounds] of results) {
        const measured = await entrant.measure(level);
        rounds.set(level, [...(rounds.get(level) ?? []), measured]);
        const { system, durability } = entrant.contestant;
        const rate = Math.round(measured.perSecond);
        bench.progress(`lifecycle, round ${round}: ${level} in flight, ${system} (${durability}): ${rate}/s`);
      }
    }
  }
  return results;
}

function table(results: Map<Entrant, Rounds>, notes: string[]): Table {
  const highest = LEVELS.at(-1) as number;
  const hub = [...results].find(([entrant]) => entrant.contestant.system === HUB);
  const hubRate = hub && at(hub[1], highest, "perSecond");
  return {
    title: "Task lifecycle, durable: send → claim → complete → sender notified; lifecycles/s by tasks in flight",
    columns: [...LEVELS.map((level) => level.toLocaleString("en-US")), "server µs", "client µs"],
    rows: [...results].map(([entrant, rounds]) => row(entrant, rounds, highest, hubRate)),
    notes: [
      `hub ÷ it: the hub at ${highest.toLocaleString("en-US")} in flight against the other at whatever suits it best`,
      ...workers(results),
      `server µs, client µs: processor time a lifecycle at ${highest.toLocaleString("en-US")} in flight`,
      ...notes,
    ],
  };
}

/** Both hand tasks to a handler, as many at once as suits them best. */
function workers(results: Map<Entrant, Rounds>): string[] {
  const [hub, ...others] = [...results].filter(([{ contestant }]) => WORKERS.has(contestant.system));
  if (hub?.[0].contestant.system !== HUB_WORK) return [];
  return others.map(([{ contestant }, rounds]) => {
    const ratio = formatNumber(best(hub[1]) / best(rounds));
    return `${HUB_WORK} ÷ ${contestant.system} (${contestant.durability}), each at its best: ${ratio}`;
  });
}

const WORKERS = new Set([HUB_WORK, BULL_MQ]);

const best = (rounds: Rounds) => Math.max(...LEVELS.map((level) => at(rounds, level, "perSecond")));

function row(entrant: Entrant, rounds: Rounds, highest: number, hubRate: number | undefined): Row {
  const { system, durability, throughput: bounds } = entrant.contestant;
  const rates = LEVELS.map((level) => at(rounds, level, "perSecond"));
  const ratio = hubRate && system !== HUB ? hubRate / best(rounds) : undefined;
  const budget: Budget | undefined =
    ratio && bounds
      ? { what: `lifecycle throughput, hub ÷ ${system}`, measured: ratio, sense: "at least", ...bounds, unit: "×" }
      : undefined;
  return {
    system,
    durability,
    values: [...rates, at(rounds, highest, "serverUs"), at(rounds, highest, "clientUs")],
    ratio,
    budget,
  };
}

const at = (rounds: Rounds, level: number, what: keyof Measured) =>
  median((rounds.get(level) ?? []).map((measured) => measured[what]));
