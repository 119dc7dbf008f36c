/**
 * Workers that are killed, stopped and continued, and cut off, while the hub itself is killed every few seconds: every
 * task ends, once; what a worker says too late is refused and kept; what a lost worker held is taken back in time.
 *
 * Every worker is a process, and so is the hub; between each worker and the hub is a proxy. What workers were told
 * stands in files of their own; the log is read at the end, and everything is held against it.
 *
 * `MINUTES=5 WORKERS=50 TASKS=10000 SEED=… npx vitest run test/faults/chaos.test.ts --silent=false` is the long form.
 */
import { setTimeout } from "node:timers/promises";
import { expect, test } from "vitest";
import { join, through } from "../client/sdk/support.ts";
import { defer } from "../support/defer.ts";
import { accepts } from "../support/ports.ts";
import { HubProcess } from "../support/processes.ts";
import { FaultProxy } from "../support/proxy.ts";
import { seededRandom } from "../support/random.ts";
import { tempDir } from "../support/tempDir.ts";
import { ChaosWorker } from "./chaos/chaosWorker.ts";
import { drawSchedule, type HubFault, type WorkerFault } from "./chaos/faults.ts";
import { handIn } from "./chaos/handIn.ts";
import { HubLives } from "./chaos/hubLives.ts";
import { Judge } from "./chaos/judge.ts";
import { PING_MS } from "./chaos/reclaim.ts";
import { LogChecker } from "./support/logChecker.ts";

const MINUTES = Number(process.env.MINUTES ?? 1 / 12);
const WORKERS = Number(process.env.WORKERS ?? 5);
const TASKS = Number(process.env.TASKS ?? 150);
const DURATION_MS = MINUTES * 60_000;
const GRACE_MS = 1_000;
/** Workers that take over from each other; each hears what happens to all tasks of its crew. */
const CREWS = Array.from({ length: Math.ceil(WORKERS / 5) }, (_, i) => `crew-${i}`);
/** Tasks take half of the workers' time: what is lost leaves them busy. */
const LONGEST_MS = (DURATION_MS * WORKERS) / TASKS;
const LOOK_MS = 200;
const LAST_LOOKS = 50;

test(
  `${WORKERS} workers, ${TASKS} tasks: whatever is killed, stopped or cut, every task ends once`,
  async () => {
    const random = seededRandom();
    const args = ["--lease-grace-ms", `${GRACE_MS}`, "--ping-ms", `${PING_MS}`];
    const hub = new HubLives(await HubProcess.start({ args }));
    const workers = await hire(hub.hub);
    const proxy = await FaultProxy.start(hub.hub);
    const lines = await Promise.all([1, 2].map(() => join(through(proxy), { as: "boss", timeout_ms: 30_000 })));
    const schedule = drawSchedule(random, { durationMs: DURATION_MS, workers: WORKERS, graceMs: GRACE_MS });

    const over = new AbortController();
    defer(() => over.abort());
    const { signal } = over;
    const addresses = CREWS.map((crew) => `@${crew}`);
    const [told] = await Promise.all([
      handIn(lines, random, { tasks: TASKS, overMs: DURATION_MS, longestMs: LONGEST_MS, to: addresses, signal }),
      play(schedule.workers, signal, (fault) => {
        workers[fault.worker]?.suffer(fault);
        if (fault.kind === "cut") proxy.cut(); // the sender's lines, too
      }),
      playHub(schedule.hub, hub, signal),
    ]);
    await Promise.all(workers.map((worker) => worker.recovered()));
    const checker = new LogChecker();
    const judge = await settled(checker, () => new Judge(checker.events, workers, hub), hub.hub.url);
    expect(await Promise.all(workers.map((worker) => worker.close()))).toEqual(workers.map(() => 0));

    console.info(JSON.stringify(figures(judge, workers, hub)));
    expect(checker.broken).toEqual([]);
    expect(new Set(told.map(({ id }) => id)).size).toBe(TASKS);
    expect(checker.messages.size).toBe(TASKS);
    expect(checker.missing(told.concat(judge.accepted()))).toEqual([]);
    expect(judge.unsettled()).toEqual([]);
    expect(judge.refusedOtherwise()).toEqual([]);
    expect(judge.keptTooLong(GRACE_MS)).toEqual([]);
    expect(await judge.recordedOtherwise(hub.hub.url)).toEqual([]);
    expect(await checker.differences(hub.hub.url)).toEqual([]);
    if (MINUTES >= 1) {
      expect(figures(judge, workers, hub).late, "nothing was late: the run proves too little").toBeGreaterThan(0);
    }
    expect(await hub.hub.stop()).toMatchObject({ code: 0 });
    expect(await accepts(hub.hub.port)).toBe(false);
  },
  DURATION_MS * 2 + 60_000,
);

async function hire(hub: HubProcess): Promise<ChaosWorker[]> {
  const folder = tempDir();
  const proxies = await Promise.all(Array.from({ length: WORKERS }, () => FaultProxy.start(hub)));
  const workers = proxies.map((proxy, i) => {
    const pool = CREWS[i % CREWS.length] as string;
    return new ChaosWorker({ name: `worker-${i}`, pool, folder, proxy, url: hub.url });
  });
  await Promise.all(workers.map((worker) => worker.ready()));
  return workers;
}

/** Reads on until every task has ended, and for a while until all that workers have said is in the log. */
async function settled(checker: LogChecker, judge: () => Judge, url: string): Promise<Judge> {
  while (!(await checker.isWorkedOff(url))) await setTimeout(LOOK_MS);
  for (let looks = 0; looks < LAST_LOOKS && judge().unsettled().length > 0; looks++) {
    await setTimeout(LOOK_MS);
    await checker.readOn(url);
  }
  return judge();
}

async function play(faults: readonly WorkerFault[], signal: AbortSignal, happen: (fault: WorkerFault) => void) {
  const begun = performance.now();
  for (const fault of faults) {
    await setTimeout(Math.max(0, begun + fault.atMs - performance.now()), undefined, { signal });
    happen(fault);
  }
}

/** Of a hub that is slow to start fewer lives fit into the time. */
async function playHub(faults: readonly HubFault[], hub: HubLives, signal: AbortSignal): Promise<void> {
  const end = performance.now() + DURATION_MS;
  for (const { lifeMs, downMs } of faults) {
    if (performance.now() + lifeMs > end) return;
    await setTimeout(lifeMs, undefined, { signal });
    await hub.killFor(downMs);
  }
}

function figures(judge: Judge, workers: readonly ChaosWorker[], hub: HubLives) {
  const tries = [...judge.tries.all];
  const suffered: Record<string, number> = {};
  for (const worker of workers) for (const [kind, n] of worker.suffered) suffered[kind] = (suffered[kind] ?? 0) + n;
  return {
    tasks: tries.filter(({ result }) => result !== undefined).length,
    tries: tries.length,
    ...suffered,
    hub_kills: hub.kills,
    requeued: tries.filter(({ end }) => end === "requeued").length,
    late: tries.filter(({ late }) => late !== undefined).length,
    worst_reclaim_ms: Math.max(...[...judge.kept()].map(({ ms }) => ms)),
  };
}
