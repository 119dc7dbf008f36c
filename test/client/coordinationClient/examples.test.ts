/** The document's own programs, unchanged, each in a process of its own against a real hub. */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { http } from "../../support/http.ts";
import { startHub, type TestHub } from "../../support/hub.ts";
import { repository } from "../../support/repository.ts";
import { tempDir } from "../../support/tempDir.ts";
import { DOCUMENT, EXAMPLES } from "./document.ts";
import { Program, place } from "./program.ts";
import { post, read } from "./support.ts";

let hub: TestHub;

beforeEach(async () => {
  hub = await startHub();
});

const start = (code: string, env: Record<string, string> = {}) =>
  Program.start(code, { env: { COORDINATION_API_URL: hub.url, ...env } });

const statuses = async () => (await http(`${hub.url}/stats`)).body.data;
const all = async () => (await http(`${hub.url}/messages`)).body.data;

/** Does a task when it is told to by a line on its input; a blocked process, as a worker at work may be. */
const EXECUTE_ON_COMMAND = `
import { readSync } from 'node:fs';
async function executeTask(task: { id: string; task: string }) {
  console.log('executing ' + task.task);
  for (const byte = Buffer.alloc(1); byte.toString() !== '\\n'; ) readSync(0, byte);
  return task.task + ' by ' + process.env.WORKER;
}
const timeout = (ms: number) => new Promise<never>((_, reject) => setTimeout(reject, ms, new Error('timeout')).unref());
`;

/** What the document's programs use without saying where it comes from. */
const PREAMBLES: Record<keyof typeof EXAMPLES, string> = {
  quickStartSender: "",
  quickStartWorker: `
async function executeTask(task: string) {
  if (task.includes('broken')) throw new Error('the feed is broken');
  return 'did: ' + task;
}
`,
  dispatch: "",
  process: `
const scrapeRSSFeeds = async (context?: string) => 'scraped: ' + context;
const scrapeETFData = async (context?: string): Promise<string> => { throw new Error('no data: ' + context); };
`,
  heartbeat: `
import { createServer } from 'node:http';
const app = { listen: (port: number, ready: () => void) => createServer().listen(0, ready) };
`,
  batch: EXECUTE_ON_COMMAND,
  retry: `import { sendTask, type CoordinationMessage } from './coordinationClient';\n`,
};

const program = (name: keyof typeof EXAMPLES, call = "") => PREAMBLES[name] + EXAMPLES[name] + call;

test("the copy of the document is unchanged", () => {
  const sha256 = createHash("sha256").update(DOCUMENT).digest("hex");
  expect(sha256).toBe("1e1741b30db0aa2e5adba72187fab0b6bcc52286b67242411f823f43e9fe9413");
});

test("its programs compile against our types", () => {
  const folder = tempDir();
  for (const name of Object.keys(EXAMPLES) as (keyof typeof EXAMPLES)[]) place(program(name), folder, `${name}.ts`);
  const options = {
    compilerOptions: {
      strict: true,
      useUnknownInCatchVariables: false, // they read error.message
      noEmit: true,
      target: "es2022",
      module: "esnext",
      moduleResolution: "bundler",
      moduleDetection: "force",
      skipLibCheck: true,
      allowImportingTsExtensions: true,
      types: ["node"],
      typeRoots: [`${repository}node_modules/@types`],
    },
    include: ["*.ts"],
  };
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(options));
  const tsc = `${repository}node_modules/typescript/bin/tsc`;
  expect(() => execFileSync(process.execPath, [tsc, "-p", folder], { encoding: "utf8" })).not.toThrow();
});

test("Quick Start: one sends a task and a chat, the other processes both", async () => {
  const broken = await post(hub.url, { task: "a broken one" });
  const sender = start(program("quickStartSender"));
  expect([await sender.exited, sender.stderr]).toEqual([{ code: 0, signal: null }, ""]);
  const [, task, chat] = await all();
  expect(sender.stdout).toBe(`Sent task: ${task.id}\n`);
  expect(task).toMatchObject({ type: "task", from_claude: "windows_frontend", to_claude: "server_backend" });
  expect(chat).toMatchObject({ type: "chat", task: "Workflow complete, dashboard updated" });

  const worker = start(program("quickStartWorker"), { CLAUDE_ID: "server_backend" });
  expect([await worker.exited, worker.stderr]).toEqual([{ code: 0, signal: null }, ""]);
  expect(await read(hub.url, task.id)).toMatchObject({
    status: "complete",
    result: "did: Scrape latest RSS feeds for market data",
  });
  expect(await read(hub.url, chat.id)).toMatchObject({ status: "complete" });
  expect(await read(hub.url, broken)).toMatchObject({ status: "failed", error: "the feed is broken" });
});

test("Quick Start: the worker leaves what waits for another task, and does what stands behind it", async () => {
  const first = await post(hub.url, { task: "first", to_claude: "somebody" });
  const waiting = await post(hub.url, { task: "waits", after: [first] });
  const behind = await post(hub.url, { task: "behind it" });
  const worker = () => Program.run(program("quickStartWorker"), { env: { COORDINATION_API_URL: hub.url } });
  expect(await worker()).toMatchObject({ code: 0, stderr: "" });
  expect(await read(hub.url, waiting)).toMatchObject({ status: "pending" });
  expect(await read(hub.url, behind)).toMatchObject({ status: "complete" });
  await http(`${hub.url}/message/${first}`, { method: "PUT", body: { status: "complete" } });
  expect(await worker()).toMatchObject({ code: 0, stderr: "" });
  expect(await read(hub.url, waiting)).toMatchObject({ status: "complete", result: "did: waits" });
});

test("Example 1: one dispatches work and polls for it, the other processes it", async () => {
  const etf = await post(hub.url, { task: "Scrape ETF data", context: "SPY" });
  const other = await post(hub.url, { task: "neither of them" });
  const worker = start(program("process", "await processWork();"));
  const sender = start(program("dispatch", "await dispatchWork();"), { CLAUDE_ID: "windows_frontend" });
  expect([await sender.exited, sender.stderr]).toEqual([{ code: 0, signal: null }, ""]);
  const rss = (await all())[2];
  expect(sender.stdout).toBe(`Sent task ${rss.id}\nTask completed: scraped: Get latest financial news articles\n`);
  expect(rss).toMatchObject({ status: "complete", claimed_by: "server_backend" });
  expect(await read(hub.url, etf)).toMatchObject({ status: "failed", error: "no data: SPY" });
  const withoutResult = await read(hub.url, other);
  expect(withoutResult).toMatchObject({ status: "complete" });
  expect(withoutResult).not.toHaveProperty("result");
  expect([worker.isRunning, worker.stderr]).toEqual([true, ""]);
});

test("Example 1: a task that failed is told with its error", async () => {
  const sender = start(program("dispatch", "await dispatchWork();"), { CLAUDE_ID: "windows_frontend" });
  await sender.printed("Sent task");
  const [{ id }] = await all();
  const body = { status: "failed", error: "Connection timeout" };
  await http(`${hub.url}/message/${id}`, { method: "PUT", body });
  await sender.exited;
  expect(sender.stderr).toBe("Task failed: Connection timeout\n");
});

test("Example 2: the instance is online while its server runs, and the process ends by itself", async () => {
  const server = start(program("heartbeat"));
  const instance = async () => (await http(`${hub.url}/presence`)).body.data.instances[0];
  await expect.poll(instance, { timeout: 10_000 }).toMatchObject({ claude_id: "server_backend", state: "online" });
  server.kill("SIGTERM");
  expect(await server.exited).toEqual({ code: 0, signal: null });
  expect([server.stdout, server.stderr]).toEqual(["Shutting down...\n", ""]);
});

describe("Example 3: two workers on one queue", () => {
  test.each([
    ["of one name", { CLAUDE_ID: "server_backend" }],
    ["without a name", {}],
  ])("%s do each task once, and none is failed by the one who lost it", async (_, env) => {
    const batch = (worker: string) => start(program("batch", "await processBatch();"), { ...env, WORKER: worker });
    for (const task of ["t1", "t2", "t3"]) await post(hub.url, { task });

    const ada = batch("ada");
    await ada.printed("executing t1"); // ada knows of all three
    const bob = batch("bob");
    await bob.printed("executing t2"); // bob of t2 and t3
    ada.say("go"); // completes t1, loses t2 to bob who is at it, takes t3
    await ada.printed("executing t3");
    bob.say("go"); // completes t2, loses t3 to ada who is at it
    expect([await bob.exited, bob.stderr]).toEqual([{ code: 0, signal: null }, ""]);
    ada.say("go");
    expect([await ada.exited, ada.stderr]).toEqual([{ code: 0, signal: null }, ""]);

    const results = (await all()).map(({ status, result, attempt }: Record<string, unknown>) => [
      status,
      result,
      attempt,
    ]);
    expect(results).toEqual([
      ["complete", "t1 by ada", 1],
      ["complete", "t2 by bob", 1],
      ["complete", "t3 by ada", 1],
    ]);
    expect(await statuses()).toMatchObject({ total: 3, complete: 3, failed: 0 });
    expect(ada.stdout).toContain("Completed: 2, Failed: 1\n");
    expect(bob.stdout).toContain("Completed: 1, Failed: 1\n");
  });

  test("in one process, as a timer may start them, neither", async () => {
    for (const task of ["t1", "t2"]) await post(hub.url, { task });
    const twice = "await Promise.all([processBatch(), processBatch()]);";
    const worker = start(program("batch", twice), { WORKER: "ada" });
    worker.say("go");
    worker.say("go");
    expect([await worker.exited, worker.stderr]).toEqual([{ code: 0, signal: null }, ""]);
    expect(await statuses()).toMatchObject({ total: 2, complete: 2, failed: 0 });
    expect(worker.stdout.match(/executing t\d/g)?.sort()).toEqual(["executing t1", "executing t2"]);
  });
});
