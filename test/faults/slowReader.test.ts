/**
 * Readers stop reading, or stop acknowledging, while 30,000 events pass (`EVENTS=200000`, as in `npm run test:faults`). They cost the hub
 * no memory that grows with what they miss (I9), delay nobody, and when they read on they have missed nothing (I3). Heavy: both cores are busy.
 */
import { once } from "node:events";
import { pathToFileURL } from "node:url";
import { expect, test, vi } from "vitest";
import { WebSocket } from "ws";
import { SUBPROTOCOL } from "../../shared/frames.ts";
import { residentBytes } from "../bench/os/proc.ts";
import { defer } from "../support/defer.ts";
import { HubProcess } from "../support/processes.ts";
import { RawSocket } from "../support/rawSocket.ts";
import { repository } from "../support/repository.ts";
import { LogReader } from "./support/logReader.ts";

const [EARLY, ALL] = [12_000, Number(process.env.EVENTS ?? 30_000)];
const [BATCH, IN_FLIGHT] = [500, 3_000];

/** How much more the process may have in memory: a bound that only many events put to the test. */
const RESIDENT_MAY_GROW = 32 * 2 ** 20;
/** How much more its main thread may hold: next to nothing for a missed event. */
const HELD_MAY_GROW = 2 ** 20 + 100 * (ALL - EARLY);

/**
 * What a process takes for itself before it is filled by anything that waits: the garbage that V8 allows itself, held
 * small, and the database's page cache, filled before the first measurement. Neither has to do with readers.
 */
const PROBE = pathToFileURL(`${repository}test/faults/fixture/heapProbe.mjs`);
const NODE_OPTIONS = `--max-old-space-size=80 --max-semi-space-size=4 --import=${PROBE}`;
const FILLS_PAGE_CACHE = { messages: 96, context: "x".repeat(900_000) };

/** What the hub's main thread holds, garbage apart. */
async function heldBytes(hub: HubProcess): Promise<number> {
  const from = hub.output.length;
  process.kill(hub.pid, "SIGUSR2");
  return vi.waitFor(() => Number((/held (\d+)\n/.exec(hub.output.slice(from)) as RegExpExecArray)[1]), 10_000);
}

/** Sends chats from `p` to `away` in batches, as fast as the hub takes them. */
class Producer {
  #acknowledged = 0;
  #sent = 0;
  readonly #ws: WebSocket;
  #look = () => {};

  private constructor(ws: WebSocket) {
    this.#ws = ws;
    ws.on("message", (data) => {
      this.#acknowledged += data.toString().split('"deduplicated":').length - 1;
      this.#look();
    });
  }

  static async open(wsUrl: string): Promise<Producer> {
    const ws = new WebSocket(wsUrl, SUBPROTOCOL, { perMessageDeflate: false });
    defer(() => ws.terminate());
    await once(ws, "open");
    const params = { client: { name: "test", version: "0" }, claude_id: "producer" };
    ws.send(JSON.stringify({ jsonrpc: "2.0", id: "hello", method: "hello", params }));
    return new Producer(ws);
  }

  /** Goes on until so many are acknowledged in all. */
  upTo(count: number): Promise<void> {
    return new Promise((resolve) => {
      this.#look = () => {
        while (this.#sent < count && this.#sent - this.#acknowledged < IN_FLIGHT) this.#sendBatch();
        if (this.#acknowledged >= count) resolve();
      };
      this.#look();
    });
  }

  #sendBatch(): void {
    const batch = Array.from({ length: BATCH }, (_, i) => {
      const params = { from_claude: "p", to_claude: "away", type: "chat", task: `${this.#sent + i}` };
      return { jsonrpc: "2.0", id: this.#sent + i, method: "send", params };
    });
    this.#sent += BATCH;
    this.#ws.send(JSON.stringify(batch));
  }
}

const inMib = ({ resident, held }: { resident: number; held: number }) =>
  `${(resident / 2 ** 20).toFixed(1)} MiB resident, ${(held / 2 ** 20).toFixed(1)} MiB held`;

test(`${ALL} events pass: no memory for those who are away, no delay for the others, nothing missed`, async () => {
  const hub = await HubProcess.start({ args: ["--log-level", "warn"], env: { NODE_OPTIONS } });
  const filler = await RawSocket.greet(hub.wsUrl, { claude_id: "filler" });
  for (let i = 0; i < FILLS_PAGE_CACHE.messages; i++) {
    await filler.call("send", { to_claude: "nobody", task: `${i}`, context: FILLS_PAGE_CACHE.context });
  }
  await filler.close();

  const keen = await LogReader.start(hub.wsUrl, { scope: "all" });
  const deaf = await LogReader.start(hub.wsUrl, { claude_id: "away" });
  const mute = await LogReader.start(hub.wsUrl, { claude_id: "away" });
  for (const reader of [keen, deaf, mute]) reader.keeps = false;
  deaf.pause();
  mute.acknowledges = false;

  const producer = await Producer.open(hub.wsUrl);
  /** Produces up to a count; measures on the way of the last steps, over which the log's tail fills and is trimmed, and takes the least. */
  const measure = async (count: number) => {
    const resident: number[] = [];
    const held: number[] = [];
    for (let left = 8_000; left >= 0; left -= 1_000) {
      await producer.upTo(count - left);
      await keen.counts(count - left); // while two others are stuck
      resident.push(residentBytes(hub.pid));
      held.push(await heldBytes(hub));
    }
    return { resident: Math.min(...resident), held: Math.min(...held) };
  };
  const early = await measure(EARLY);
  const late = await measure(ALL);
  console.info(`after ${EARLY}: ${inMib(early)}, after ${ALL}: ${inMib(late)}`);
  expect(late.resident - early.resident).toBeLessThan(RESIDENT_MAY_GROW);
  expect(late.held - early.held).toBeLessThan(HELD_MAY_GROW);
  expect(deaf.count + mute.count).toBeLessThan(EARLY);

  deaf.resume();
  mute.acknowledges = true;
  mute.acknowledge();
  await Promise.all([deaf.counts(ALL), mute.counts(ALL)]);
  for (const reader of [keen, deaf, mute]) expect([reader.count, reader.broken]).toEqual([ALL, []]);
}, 120_000);
