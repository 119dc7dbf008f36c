/** Every command as people and programs run it: the built file, in a process of its own, against a hub on a real port. */
import { join } from "node:path";
import { expect, it } from "vitest";
import { COMMANDS } from "../../../client/cli/commands/table.ts";
import { startHub, type TestHub } from "../../support/hub.ts";
import { tempDir } from "../../support/tempDir.ts";
import { Coord, run, runInside } from "./coord.ts";

interface Row {
  /** `ID` stands for a task that bob holds, `NEW` for one that waits for him. */
  args: readonly string[];
  human: RegExp;
  json: unknown;
}

const ROWS: readonly Row[] = [
  { args: ["send", "bob", "x"], human: /^[0-9a-f]{32}\n$/, json: { message: { task: "x" }, deduplicated: false } },
  { args: ["chat", "bob", "hi"], human: /^[0-9a-f]{32}\n$/, json: { message: { type: "chat" } } },
  { args: ["inbox"], human: /^ID .*\n[0-9a-f]{32} +ada /, json: { messages: [{}], count: 1, cursor: /./ } },
  { args: ["list", "--to", "bob"], human: /^ID .*FROM +TO /, json: { count: 2 } },
  { args: ["get", "ID"], human: /^id +[0-9a-f]{32}\ntype +task\n/, json: { status: "in_progress" } },
  { args: ["claim", "NEW"], human: /^status +in_progress \(bob\), attempt 1/m, json: { claimed_by: "bob" } },
  { args: ["next"], human: /^status +in_progress \(bob\), attempt 1/m, json: { claimed_by: "bob" } },
  { args: ["complete", "ID", "done"], human: /^[0-9a-f]{32} is complete\n$/, json: { result: "done" } },
  { args: ["fail", "ID", "why"], human: /^[0-9a-f]{32} is failed: error\n$/, json: { error: "why" } },
  { args: ["release", "ID"], human: /^[0-9a-f]{32} is pending\n$/, json: { status: "pending" } },
  { args: ["delete", "ID"], human: /^[0-9a-f]{32} is deleted\n$/, json: { deleted: true } },
  { args: ["wait"], human: /^id +[0-9a-f]{32}\n/, json: { status: "pending" } },
  { args: ["who"], human: /^NAME .*\nada +online /, json: { instances: [{ claude_id: "ada" }] } },
  { args: ["stats"], human: /^total +2\npending +1\n/, json: { total: 2, in_progress: 1 } },
  { args: ["heartbeat"], human: /^\d\d:\d\d:\d\d {2}bob is alive\n$/, json: { claude_id: "bob" } },
  { args: ["backup", "FILE", "--db", "DB"], human: /is a verified copy of/, json: { file: /copy\.db$/ } },
];

/** A hub with a task that bob holds and one that waits for him, both from ada, who is alive. */
async function stage(): Promise<{ hub: TestHub; fill: (word: string) => string }> {
  const hub = await startHub();
  const ask = async (as: string, ...args: string[]) =>
    (await runInside([...args, "--json"], { url: hub.url, as })).json;
  await ask("ada", "heartbeat");
  const { message: held } = await ask("ada", "send", "bob", "held");
  await ask("bob", "claim", held.id);
  const { message: waiting } = await ask("ada", "send", "bob", "waiting");
  const words: Record<string, string> = { ID: held.id, NEW: waiting.id, DB: hub.db, FILE: join(tempDir(), "copy.db") };
  return { hub, fill: (word) => words[word] ?? word };
}

const matching = (wanted: unknown): unknown => {
  if (wanted instanceof RegExp) return expect.stringMatching(wanted);
  if (Array.isArray(wanted)) return wanted.map(matching);
  if (typeof wanted !== "object" || wanted === null) return wanted;
  return expect.objectContaining(Object.fromEntries(Object.entries(wanted).map(([k, v]) => [k, matching(v)])));
};

it.concurrent.each(ROWS)("coord $args", async ({ args, human, json }) => {
  const shown = async () => {
    const { hub, fill } = await stage();
    return await run(args.map(fill), { url: hub.url, as: "bob" });
  };
  const told = async () => {
    const { hub, fill } = await stage();
    return await run([...args.map(fill), "--json"], { url: hub.url, as: "bob" });
  };
  const [forPeople, forPrograms] = await Promise.all([shown(), told()]);
  expect(forPeople).toMatchObject({ code: 0, stdout: expect.stringMatching(human) });
  expect(forPrograms).toMatchObject({ code: 0, stderr: "" });
  expect(forPrograms.json).toEqual(matching(json));
});

it("coord watch", async () => {
  const { hub, fill } = await stage();
  const [forPeople, forPrograms] = [[], ["--json"]].map(
    (more) => new Coord(["watch", ...more], { url: hub.url, as: "bob" }),
  );
  await Promise.all([forPeople?.prints(/waiting/), forPrograms?.prints(/"backlog":true/)]);
  await runInside(["chat", "bob", "hi"], { url: hub.url, as: "ada" });
  await Promise.all([forPeople?.prints(/new .* {2}ada → bob {2}hi\n/), forPrograms?.prints(/"task":"hi"/)]);
  expect(forPrograms?.items[0]).toMatchObject({ kind: "new", backlog: true, message: { id: fill("NEW") } });
  expect(await Promise.all([forPeople?.end(), forPrograms?.end("SIGTERM")])).toEqual([130, 143]);
});

it("none is left out here", () => {
  const here = new Set([...ROWS.map(({ args }) => args[0]), "watch"]);
  const elsewhere = ["hub", "demo"];
  expect(COMMANDS.map(({ name }) => name).filter((name) => !here.has(name))).toEqual(elsewhere);
});
