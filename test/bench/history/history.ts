/** A hub with a past: does it slow down with it, start with it, replay it, and survive a storm of reconnects? */
import type { Bench, Section } from "../bench.ts";
import type { Budget, Row, Table } from "../report/result.ts";
import { median } from "../statistics.ts";
import type { Operations } from "./client.ts";
import { CHATS_EACH, replayerChats } from "./fill.ts";
import { Grown } from "./grown.ts";

const REPEATS = 200;

interface Results {
  small: Operations[];
  grown: Operations[];
  /** While the hub prunes. */
  pruning: Operations[];
  startSeconds: number[];
  /** Events a second to one reader. */
  replay: number[];
  stormSeconds: number[];
}

export const history: Section = {
  name: "history",
  about: "growth, start, replay and a storm of reconnects, with a long log (--messages)",
  async run(bench) {
    const grown = await Grown.create(bench);
    const results: Results = { small: [], grown: [], pruning: [], startSeconds: [], replay: [], stormSeconds: [] };
    for (let round = 1; round <= bench.scale.rounds; round++) {
      bench.progress(`history, round ${round}: single operations, long log and short`);
      await growth(grown, results);
      await restart(bench, grown, results, round);
    }
    await grown.restartPruning();
    for (let round = 1; round <= bench.scale.rounds; round++) {
      bench.progress(`history, round ${round}: single operations, while half of the past is pruned`);
      results.pruning.push(await operations(grown, grown.ports.grown));
    }
    return [growthTable(grown, results), pastTable(grown, results)];
  },
};

async function growth(grown: Grown, results: Results): Promise<void> {
  results.small.push(await operations(grown, grown.ports.small));
  results.grown.push(await operations(grown, grown.ports.grown));
}

async function operations(grown: Grown, port: number): Promise<Operations> {
  const client = grown.client();
  const times = await client.ask("operations", { port, repeats: REPEATS });
  client.child.disconnect();
  return times;
}

async function restart(bench: Bench, grown: Grown, results: Results, round: number): Promise<void> {
  bench.progress(`history, round ${round}: start`);
  results.startSeconds.push(await grown.restart());
  const client = grown.client();
  const at = { port: grown.ports.grown, resume: grown.from };
  const { readers } = grown.past;
  const count = replayerChats(readers);
  bench.progress(`history, round ${round}: replay of ${count} events`);
  results.replay.push(count / (await client.ask("replay", { ...at, count })));
  bench.progress(`history, round ${round}: storm of ${readers} readers`);
  results.stormSeconds.push(await client.ask("storm", { ...at, readers }));
  client.child.disconnect();
}

function growthTable({ past }: Grown, { small, grown, pruning }: Results): Table {
  const names = ["send", "claim_next", "stats"] as const;
  return {
    title: `Growth: one operation alone, with ${past.messages.toLocaleString("en-US")} messages against 10,000`,
    columns: ["10,000: p50 ms", "grown: p50 ms", "grown ÷ 10,000"],
    rows: [
      ...names.map((name) => growthRow(name, "", small, grown)),
      ...names.map((name) => growthRow(name, ", while half of it is pruned", small, pruning)),
    ],
    notes: [],
  };
}

function growthRow(name: keyof Operations, meanwhile: string, small: Operations[], grown: Operations[]): Row {
  const [before, after] = [small, grown].map((rounds) => median(rounds.map((round) => round[name])));
  const ratio = (after as number) / (before as number);
  return {
    system: `hub, ${name}${meanwhile}`,
    durability: "FULL",
    values: [before, after, ratio],
    budget: atMost(`growth of ${name}${meanwhile}`, ratio, 1.3, "×"),
  };
}

function pastTable({ past: { messages, readers }, events }: Grown, results: Results): Table {
  const [startSeconds, replay, stormSeconds] = [results.startSeconds, results.replay, results.stormSeconds].map(median);
  const share = ((replayerChats(readers) / events) * 100).toFixed(1);
  const row = (system: string, value: number | undefined, budget: Budget): Row => ({
    system,
    durability: "FULL",
    values: [value],
    budget,
  });
  const storm = `hub, storm: ${readers} readers come back, each missed ${CHATS_EACH} events; s`;
  return {
    title: `A log of ${events.toLocaleString("en-US")} events, ${messages.toLocaleString("en-US")} messages, cold`,
    columns: ["value"],
    rows: [
      row("hub, start: until ready; s", startSeconds, atMost("start", startSeconds as number, 1, "s")),
      row(`hub, replay to a reader who may see ${share} %; events/s`, replay, {
        what: "replay to one reader",
        measured: replay as number,
        sense: "at least",
        limit: 100_000,
        unit: "events/s",
      }),
      row(storm, stormSeconds, atMost(`storm of ${readers} readers`, stormSeconds as number, 10, "s")),
    ],
    notes: ["before each start the file is dropped from the kernel's cache"],
  };
}

const atMost = (what: string, measured: number, limit: number, unit: string): Budget => ({
  what,
  measured,
  sense: "at most",
  limit,
  unit,
});
