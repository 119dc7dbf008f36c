/** What goes wrong, and when: drawn before it begins, so that a seed stands for a schedule. */
import type { Random } from "../../support/random.ts";

/** To the hub: lives for a while, is killed, and after another while started again. */
export interface HubFault {
  lifeMs: number;
  downMs: number;
}

/**
 * To a worker:
 * - `kill`: dies, and a new run of its name comes after a while
 * - `stop`: is stopped in the middle of a task and its lines are cut; goes on when another has taken the task over
 * - `freeze`: the same with its lines left open, so that the hub has to find out
 * - `nap`: is stopped for less than the grace time
 * - `cut`: loses its lines; `stall`: nothing passes for a while
 */
const WORKER_FAULTS = ["kill", "kill", "kill", "stop", "freeze", "nap", "cut", "cut", "stall"] as const;

export interface WorkerFault {
  atMs: number;
  kind: (typeof WORKER_FAULTS)[number];
  worker: number;
  /** Of a kill: until the next run; of a nap or a stall: how long. */
  forMs: number;
}

interface Schedule {
  hub: readonly HubFault[];
  workers: readonly WorkerFault[];
}

interface Around {
  durationMs: number;
  workers: number;
  graceMs: number;
}

/** Between two deaths of the hub: long enough for a grace to end within one life, as often as not. */
const HUB_LIVES_MS = { least: 1_000, most: 7_000 };
/** A run that is shorter has no time for a hub to find out. */
const FREEZES_FROM_MS = 30_000;
const DOWN_MS = 700;
/** How often something happens to each worker, on average. */
const WORKER_PEACE_MS = 8_000;

export function drawSchedule(random: Random, around: Around): Schedule {
  return { hub: hubFaults(random, around), workers: workerFaults(random, around) };
}

function hubFaults(random: Random, { durationMs }: Around): HubFault[] {
  const { least } = HUB_LIVES_MS;
  const most = Math.min(HUB_LIVES_MS.most, durationMs / 2);
  return Array.from({ length: Math.ceil((2 * durationMs) / (least + most)) }, () => ({
    lifeMs: least + random.int(most - least),
    downMs: random.int(DOWN_MS),
  }));
}

/** Every kind comes, as often as the list says; which worker and when is chance. */
function workerFaults(random: Random, { durationMs, workers, graceMs }: Around): WorkerFault[] {
  const kinds = WORKER_FAULTS.filter((kind) => kind !== "freeze" || durationMs >= FREEZES_FROM_MS);
  const rounds = Math.ceil((workers * durationMs) / WORKER_PEACE_MS / kinds.length);
  const drawn = Array.from({ length: rounds }, () => random.shuffle(kinds)).flat();
  const times = drawn.map(() => random.int(durationMs * 0.8)).sort((a, b) => a - b);
  return drawn.map((kind, i) => ({
    atMs: times[i] as number,
    kind,
    worker: random.int(workers),
    forMs: 100 + random.int(graceMs / 2),
  }));
}
