/**
 * A hub, a coordinator and workers, each in a process of its own, index the files of a folder: a file is a task, its line
 * count and SHA-256 the result. In the middle one worker is killed, and its task is seen to come back.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { connect, type Hub } from "../../sdk/index.ts";
import type { Context } from "../context.ts";
import { Failed, UsageError } from "../process/errors.ts";
import { Accident } from "./accident.ts";
import { Cleanup } from "./cleanup.ts";
import { Crew } from "./crew.ts";
import { filesOf } from "./folder.ts";
import { Jobs } from "./jobs.ts";
import { startHub } from "./ownHub.ts";
import type { DemoReport } from "./report.ts";
import { COORDINATOR, PACE_MS, POOL } from "./roles.ts";
import { openScreen, type Screen } from "./screen.ts";

interface DemoOptions {
  readonly folder: string;
  readonly agents: number;
  /** At most so many files. */
  readonly most: number;
}

/** What there is to do, and who does it. */
interface Plan {
  /** Where there are more files than the demo takes. */
  readonly isCutOff: boolean;
  readonly folder: string;
  readonly files: readonly string[];
  readonly workers: readonly string[];
}

/** @throws UsageError when the folder holds no files; Failed when not every file has exactly one result. */
export async function runDemo(context: Context, options: DemoOptions): Promise<DemoReport> {
  const folder = resolve(options.folder);
  const found = filesOf(folder, options.most + 1);
  const files = found.slice(0, options.most);
  if (files.length === 0)
    throw new UsageError(`there are no files in ${folder} but those that are passed over: coord demo --help`);
  const workers = Array.from({ length: options.agents }, (_, i) => `worker-${i + 1}`);
  const cleanup = new Cleanup();
  try {
    return await context.interruptible(
      perform(context, { folder, files, workers, isCutOff: found.length > files.length }, cleanup),
    );
  } finally {
    await cleanup.run();
  }
}

async function perform({ print, outside }: Context, plan: Plan, cleanup: Cleanup): Promise<DemoReport> {
  const { workers } = plan;
  const data = mkdtempSync(join(tmpdir(), "coord-demo-"));
  cleanup.defer(() => rmSync(data, { recursive: true, force: true }));
  const screen = openScreen(print, outside.stdout);
  cleanup.defer(() => screen.end());
  const { url, pid } = await startHub(join(data, "demo.db"), outside, cleanup);
  screen.say("•", `hub: ${url}, pid ${pid}, data in ${data}`);
  const crew = new Crew(url, outside);
  cleanup.defer(() => crew.dismiss());
  await Promise.all(workers.map((name) => crew.hire(name)));
  screen.say("•", `workers: ${workers.map((name) => `${name} (pid ${crew.pidOf(name)})`).join(", ")}`);
  const coordinator = await connect({ url, as: COORDINATOR, receives: true });
  cleanup.defer(() => coordinator.close());
  const jobs = new Jobs();
  const accident = new Accident(crew, screen);
  watch(coordinator, plan, jobs, accident, screen);
  await coordinate(coordinator, plan, screen);
  await verify(coordinator, jobs, plan);
  const files = jobs.all.map(({ id, ...job }) => job);
  const done = workers.map((name) => ({ name, done: jobs.doneBy(name).length }));
  return { folder: plan.folder, files, workers: done, accident: accident.report };
}

/** Sends a task for each file and waits until all have ended. */
async function coordinate(coordinator: Hub, { folder, files, workers, isCutOff }: Plan, screen: Screen): Promise<void> {
  screen.say(
    "•",
    `${COORDINATOR}: a task to ${POOL} for each of ${isCutOff ? "the first " : ""}${files.length} files in ${folder}`,
  );
  screen.say(" ", `each takes ${PACE_MS} ms at least, so that one can watch`);
  screen.begin(files.length, workers);
  const said = { to_claude: POOL, context: folder, backoff_ms: 0 };
  const tasks = await Promise.all(files.map((task) => coordinator.send({ ...said, task })));
  await Promise.allSettled(tasks.map((task) => task.result()));
}

function watch(coordinator: Hub, { files, workers }: Plan, jobs: Jobs, accident: Accident, screen: Screen): void {
  // From here on at least one claim is still to come, however few files there are.
  const half = Math.min(Math.floor(files.length / 2), files.length - workers.length);
  coordinator.on("event", (event) => {
    const job = jobs.observe(event);
    screen.moved(jobs, job, event.kind === "completed" || event.kind === "failed");
    accident.observe(event, job, jobs.ended >= half);
  });
}

/** Reads the whole log and counts how often each task ended. */
async function verify(coordinator: Hub, jobs: Jobs, { files }: Plan): Promise<void> {
  const ends = new Map<string, number>();
  let page = await coordinator.call("events", { after: "start" });
  while (page.events.length > 0) {
    const ended = page.events.filter(({ kind }) => kind === "completed" || kind === "failed");
    for (const { message } of ended) ends.set(message.id, (ends.get(message.id) ?? 0) + 1);
    page = await coordinator.call("events", { after: page.cursor });
  }
  const wrong = jobs.all.filter(({ id }) => ends.get(id) !== 1);
  if (wrong.length === 0 && jobs.all.length === files.length) return;
  const counts = wrong.map(({ id, file }) => `${file}: ${ends.get(id) ?? 0}`);
  throw new Failed(`not every file has exactly one result: ${counts.join(", ") || `${jobs.all.length} tasks`}`);
}
