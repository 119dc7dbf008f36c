/** What the module does to a process that uses it: nothing that was not asked for. */
import { beforeAll, expect, test } from "vitest";
import { startHub, type TestHub } from "../../support/hub.ts";
import { HubProcess } from "../../support/processes.ts";
import { PACKAGE_FILE, Program } from "./program.ts";
import { post } from "./support.ts";

let hub: TestHub;

beforeAll(async () => {
  hub = await startHub();
});

const run = (code: string) => {
  const env = { COORDINATION_API_URL: hub.url, CLAUDE_ID: "server_backend" };
  return Program.run(`import * as client from './coordinationClient';\n${code}`, { env });
};

test("importing it has no side effects", async () => {
  const code = `
    process.stderr; // Node 24 opens it when its own 'assert' is loaded
    const state = () => JSON.stringify([
      process.env,
      process.eventNames(),
      Object.keys(globalThis).filter((name) => !name.startsWith('__zod')), // zod keeps its registry there
      process.getActiveResourcesInfo().filter((kind) => !kind.endsWith('Req')),
    ]);
    const before = state();
    await import(${JSON.stringify(PACKAGE_FILE)});
    console.log(state() === before);`;
  const exit = await Program.run(code, { env: { COORDINATION_API_URL: "nonsense", CLAUDE_ID: "not a name" } });
  expect(exit).toEqual({ code: 0, signal: null, stdout: "true\n", stderr: "" });
});

test("a program that only calls functions ends by itself", async () => {
  const id = await post(hub.url, { task: "1" });
  const calls = [
    `sendTask('x')`,
    `getPendingTasks()`,
    `getAllMessages()`,
    `getMessage('${id}')`,
    `claimTask('${id}')`,
    `completeTask('nothing', 'x').catch(() => {})`,
    `deleteMessage('nothing')`,
    `testCoordinationAPI()`,
    `stopHeartbeat()`,
  ];
  const exits = await Promise.all(calls.map((call) => run(`await client.${call}; console.log('called');`)));
  expect(exits).toEqual(calls.map(() => ({ code: 0, signal: null, stdout: "called\n", stderr: "" })));
});

test("a call whose answer nobody waits for is carried out before the process ends", async () => {
  await run(`client.sendTask('last words');`);
  const { stdout } = await run(`console.log((await client.getAllMessages()).map(({ task }) => task).join());`);
  expect(stdout).toContain("last words");
});

test("a program that was busy between two calls does not stumble over a dead connection", async () => {
  const restarted = await HubProcess.start();
  const id = await post(restarted.url, { task: "1" });
  const code = `
    import { readSync } from 'node:fs';
    import { claimTask, completeTask } from './coordinationClient';
    await claimTask('${id}');
    console.log('claimed');
    readSync(0, Buffer.alloc(100)); // nothing else happens in this process meanwhile
    console.log((await completeTask('${id}', 'done')).status);`;
  const program = Program.start(code, { env: { COORDINATION_API_URL: restarted.url } });
  await program.printed("claimed");
  await restarted.kill();
  await startHub({ port: restarted.port, db: restarted.db });
  program.say("go");
  expect(await program.exited).toEqual({ code: 0, signal: null });
  expect(program.stdout).toBe("claimed\ncomplete\n");
});
