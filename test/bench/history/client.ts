/** The client process of a hub with a past: fills it, replays it, storms it, and times single operations. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Message, Page } from "../../../shared/index.ts";
import { type HelloFields, HubSocket } from "../lean/hubSocket.ts";
import { TASK } from "../lifecycle/driver.ts";
import { serve } from "../os/agent.ts";
import { median } from "../statistics.ts";
import { CHATS_EACH, REPLAYER, readerName } from "./fill.ts";

const PATIENCE_MS = 120_000;
const WORKER = "bench_worker";

/** Median milliseconds of one operation alone. */
export interface Operations {
  send: number;
  claim_next: number;
  stats: number;
}

const handlers = {
  /** The cursor at the head of the log. */
  async head({ port }: { port: number }): Promise<string> {
    const { hub, welcome } = await HubSocket.open(port, { scope: "all" });
    await hub.close();
    return welcome.cursor;
  },

  /** @returns seconds until one reader had its `count` events. */
  async replay({ port, resume, count }: { port: number; resume: string; count: number }): Promise<number> {
    const begin = performance.now();
    await catchUp(port, { claude_id: REPLAYER, run: "replayer", resume }, count);
    return (performance.now() - begin) / 1000;
  },

  /** @returns seconds until every reader had all its chats. */
  async storm({ port, resume, readers }: { port: number; resume: string; readers: number }): Promise<number> {
    const begin = performance.now();
    const arrive = (_: unknown, index: number) =>
      catchUp(port, { claude_id: readerName(index), run: `run-${index}`, resume }, CHATS_EACH);
    await Promise.all(Array.from({ length: readers }, arrive));
    return (performance.now() - begin) / 1000;
  },

  /** Resolves once the hub has begun to prune. */
  async pruning({ port }: { port: number }): Promise<void> {
    const { hub } = await HubSocket.open(port, { scope: "all" });
    const finished = async () => (await hub.request<{ complete: number }>("stats", {})).complete;
    const before = await finished();
    while ((await finished()) === before) await sleep(200);
    await hub.close();
  },

  async operations({ port, repeats }: { port: number; repeats: number }): Promise<Operations> {
    const { hub } = await HubSocket.open(port, { claude_id: WORKER, run: `operations-${process.pid}` });
    const times: Record<keyof Operations, number[]> = { send: [], claim_next: [], stats: [] };
    const timed = async <T>(name: keyof Operations, params: object): Promise<T> => {
      const begin = performance.now();
      const result = await hub.request<T>(name, params);
      times[name].push(performance.now() - begin);
      return result;
    };
    for (let i = 0; i < repeats; i++) {
      await timed("send", { to_claude: WORKER, task: TASK });
      const { id, attempt } = await timed<Message>("claim_next", {});
      await hub.request("complete", { id, attempt });
      await timed("stats", {});
    }
    await hub.close();
    return { send: median(times.send), claim_next: median(times.claim_next), stats: median(times.stats) };
  },
};

/** Resumes, and resolves with exactly `count` events, each newer than the one before. The connection stays open. */
async function catchUp(port: number, hello: HelloFields, count: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    let seen = 0;
    let last = 0;
    const timer = setTimeout(() => reject(new Error(`${seen} of ${count} events came`)), PATIENCE_MS);
    const onPage = ({ events }: Page) => {
      for (const { seq } of events) {
        if (seq <= last) reject(new Error(`event ${seq} came after ${last}`));
        last = seq;
      }
      seen += events.length;
      if (seen > count) reject(new Error(`${seen} events came where ${count} were missed`));
      if (seen < count) return;
      clearTimeout(timer);
      resolve();
    };
    HubSocket.open(port, hello, onPage).then(({ welcome }) => {
      if (!welcome.resumed) reject(new Error(`not resumed: ${welcome.reason}`));
    }, reject);
  });
}

export type HistoryClient = typeof handlers;

serve(handlers);
