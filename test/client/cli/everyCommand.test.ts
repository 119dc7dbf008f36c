/** Every command as people run it, some of them the built file in a process of its own; and as programs do, with --json. */
import { join } from "node:path";
import { beforeAll, expect, it } from "vitest";
import { COMMANDS } from "../../../client/cli/commands/table.ts";
import { startHub, type TestHub } from "../../support/hub.ts";
import { tempDir } from "../../support/tempDir.ts";
import { CoordProcess, run, runInside } from "./coord.ts";

interface Row {
  /** HELD stands for a task of bob's that he holds, NEW for one that waits for him; both are from ada, who is alive. */
  args: readonly string[];
  human: RegExp;
  json: object;
}

const ROWS: readonly Row[] = [
  { args: ["send", "BOB", "x"], human: /^[0-9a-f]{32}\n$/, json: { message: { task: "x" }, deduplicated: false } },
  { args: ["chat", "BOB", "hi"], human: /^[0-9a-f]{32}\n$/, json: { message: { type: "chat" } } },
  { args: ["inbox"], human: /^ID .*\n[0-9a-f]{32} +ada/, json: { messages: [{}], count: 1, cursor: /./ } },
  { args: ["list", "--to", "BOB"], human: /^ID +FROM +TO /, json: { messages: [{}, {}], count: 2 } },
  { args: ["get", "HELD"], human: /^id +[0-9a-f]{32}\ntype +task\n/, json: { status: "in_progress" } },
  { args: ["claim", "NEW"], human: /^status +in_progress \(bob\d+\), attempt 1/m, json: { attempt: 1 } },
  { args: ["next"], human: /^status +in_progress \(bob\d+\), attempt 1/m, json: { attempt: 1 } },
  { args: ["complete", "HELD", "done"], human: /^[0-9a-f]{32} is complete\n$/, json: { result: "done" } },
  { args: ["fail", "HELD", "why"], human: /^[0-9a-f]{32} is failed: error\n$/, json: { error: "why" } },
  { args: ["release", "HELD"], human: /^[0-9a-f]{32} is pending\n$/, json: { status: "pending" } },
  {
    args: ["extend", "HELD", "--lease", "1h"],
    human: /is in_progress \(bob\d+\), safe until 2.*Z, in 1 h\n$/,
    json: { lease: "detached" },
  },
  {
    args: ["progress", "HELD", "half", "--percent", "50"],
    human: /is in_progress/,
    json: { progress: { percent: 50, note: "half" } },
  },
  { args: ["cancel", "HELD", "why"], human: /^[0-9a-f]{32} is failed: cancelled\n$/, json: { failure: "cancelled" } },
  { args: ["retry"], human: /^nothing to retry\n$/, json: { count: 0, ids: [] } },
  { args: ["dead"], human: /^no dead letters\n$/, json: { messages: [] } },
  { args: ["attempts", "HELD"], human: /^TRY +BY .*\n1 +bob\d+ .* in_progress/, json: { attempts: [{ attempt: 1 }] } },
  { args: ["seen", "NEW"], human: /^[0-9a-f]{32} is seen by bob\d+\n$/, json: { seen_at: /T/ } },
  { args: ["receipts", "NEW"], human: /^FOR +DELIVERED +SEEN .*\nbob\d+ +- +- /, json: { receipts: [{}] } },
  {
    args: ["lift", "HELD"],
    human: /^[0-9a-f]{32} has come 0 of 100 hops \(answers to answers\): 100 more may follow\n$/,
    json: { hops: 0, limit: 100 },
  },
  { args: ["delete", "HELD"], human: /^[0-9a-f]{32} is deleted\n$/, json: { deleted: true } },
  { args: ["wait"], human: /^id +[0-9a-f]{32}\n/, json: { status: "pending" } },
  { args: ["who", "ADA"], human: /^NAME .*\nada\d+ +online /, json: { instances: [{ state: "online" }] } },
  { args: ["stats"], human: /^total +\d+\npending +\d+\n/, json: { failed: expect.any(Number) } },
  { args: ["heartbeat"], human: /^\d\d:\d\d:\d\d {2}bob\d+ is alive\n$/, json: { claude_id: /^bob/ } },
  {
    args: [
      "schedule",
      "put",
      "nightly",
      "--cron",
      "0 3 * * *",
      "--tz",
      "Europe/Berlin",
      "--to",
      "ADA",
      "run the backup",
    ],
    human:
      /^name +nightly\ncron +0 3 \* \* \*, Europe\/Berlin\n.*\nnext, in Europe\/Berlin\n( {2}.{5}[\d-]{10} 03:00:00 {2}in .*\n){5}\nrun the backup\n$/s,
    json: { name: "nightly", timezone: "Europe/Berlin", enabled: true },
  },
  { args: ["export", "--out", "FILE"], human: /copy\.db holds \d+ messages\n$/, json: { count: expect.any(Number) } },
  { args: ["template"], human: /^(no templates|NAME +KIND +CHANGED)/, json: { templates: expect.any(Array) } },
  { args: ["template", "put", "t", '{"message":{"task":"x"}}'], human: /^t is kept\n$/, json: { name: "t" } },
  { args: ["template", "show", "t"], human: /^t\nchanged .* by bob\d+\n\n\{/, json: { message: { task: "x" } } },
  { args: ["backup", "FILE", "--db", "DB"], human: /is a verified copy of/, json: { file: /copy\.db$/ } },
];

/** Of each kind of command one is enough: they all start alike. */
const IN_A_PROCESS = new Set(["send", "get", "next", "cancel", "wait", "schedule", "backup"]);

let hub: TestHub;
let stages = 0;
beforeAll(async () => {
  hub = await startHub();
});

/** Two instances of names that nobody had before, and what stands for what. */
async function stage() {
  const [ada, bob] = [`ada${++stages}`, `bob${stages}`];
  const ask = async (as: string, ...args: string[]) =>
    (await runInside([...args, "--json"], { url: hub.url, as })).json;
  await ask(ada, "heartbeat");
  const { message: held } = await ask(ada, "send", bob, "held");
  await ask(bob, "claim", held.id);
  const { message: waiting } = await ask(ada, "send", bob, "waiting");
  const file = join(tempDir(), "copy.db");
  const words: Record<string, string> = { ADA: ada, BOB: bob, HELD: held.id, NEW: waiting.id, DB: hub.db, FILE: file };
  const fill = (args: readonly string[]) => args.map((word) => words[word] ?? word);
  return { ada: { url: hub.url, as: ada }, bob: { url: hub.url, as: bob }, fill };
}

function matching(wanted: unknown): unknown {
  if (wanted instanceof RegExp) return expect.stringMatching(wanted);
  if (Array.isArray(wanted)) return wanted.map(matching);
  if (typeof wanted !== "object" || wanted === null || "asymmetricMatch" in wanted) return wanted;
  return expect.objectContaining(Object.fromEntries(Object.entries(wanted).map(([k, v]) => [k, matching(v)])));
}

it.each(ROWS)("coord $args", async ({ args, human, json }) => {
  const forPeople = await stage();
  const start = IN_A_PROCESS.has(args[0] as string) ? run : runInside;
  const shown = await start(forPeople.fill(args), forPeople.bob);
  expect(shown).toMatchObject({ code: 0, stdout: expect.stringMatching(human) });
  const forPrograms = await stage();
  const told = await runInside([...forPrograms.fill(args), "--json"], forPrograms.bob);
  expect(told).toMatchObject({ code: 0, stderr: "" });
  expect(told.json).toEqual(matching(json));
});

it("coord watch", async () => {
  const { ada, bob, fill } = await stage();
  const begin = (...more: string[]) => new CoordProcess(["watch", ...more], bob);
  const [forPeople, forPrograms] = [begin(), begin("--json")];
  await Promise.all([forPeople.prints(/waiting/), forPrograms.prints(/"backlog":true/)]);
  await runInside(fill(["chat", "BOB", "hi"]), ada);
  await Promise.all([forPeople.prints(/new .* {2}ada\d+ → bob\d+ {2}hi\n/), forPrograms.prints(/"task":"hi"/)]);
  expect(forPrograms.items[0]).toMatchObject({ kind: "new", backlog: true, message: { id: fill(["NEW"])[0] } });
  expect(await Promise.all([forPeople.end(), forPrograms.end("SIGTERM")])).toEqual([130, 143]);
});

it("none is left out here", () => {
  const here = new Set([...ROWS.map(({ args }) => args[0]), "watch"]);
  const elsewhere = ["hub", "work", "demo"];
  expect(COMMANDS.map(({ name }) => name).filter((name) => !here.has(name))).toEqual(elsewhere);
});
