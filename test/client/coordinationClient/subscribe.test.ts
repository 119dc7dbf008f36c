/** `subscribe`: events instead of polling. */
import { readFileSync } from "node:fs";
import { afterEach, beforeAll, expect, test, vi } from "vitest";
import {
  type CoordinationEvent,
  claimTask,
  completeTask,
  sendTask,
  subscribe,
} from "../../../client/coordinationClient/index.ts";
import { http } from "../../support/http.ts";
import { startHub, type TestHub } from "../../support/hub.ts";
import { FaultProxy } from "../../support/proxy.ts";
import { repository } from "../../support/repository.ts";
import { Program } from "./program.ts";
import { become, post, read } from "./support.ts";

const README_WORKER = /\n(import [^\n]*"coordination-hub\/coordinationClient";\n.*?)```/s
  .exec(readFileSync(`${repository}README.md`, "utf8"))?.[1]
  ?.replace("coordination-hub/", "./") as string;

let hub: TestHub;

beforeAll(async () => {
  hub = await startHub();
});

afterEach(() => vi.unstubAllEnvs());

/** A handler that collects, and what waits until it was given so many. */
function collect() {
  const events: string[] = [];
  let look = () => {};
  const handler = ({ kind, message }: CoordinationEvent) => {
    events.push(`${kind} ${message.task ?? message.result ?? message.id}`);
    look();
  };
  const until = (count: number) =>
    new Promise<string[]>((resolve) => {
      look = () => {
        if (events.length >= count) resolve(events);
      };
      look();
    });
  return { handler, until, events };
}

test("hands over what waited, then what comes, until it is ended", async () => {
  become(hub.url, "ada");
  await post(hub.url, { to_claude: "ada", task: "waited" });
  const { handler, until, events } = collect();
  const unsubscribe = await subscribe(handler);
  expect(await until(1)).toEqual(["new waited"]);
  await post(hub.url, { to_claude: "ada", task: "live", type: "chat" });
  await post(hub.url, { to_claude: "bob", task: "not for ada" });
  await post(hub.url, { to_claude: "ada", task: "more" });
  const of = (task: string) => (event: string) => event === `new ${task}`;
  await expect.poll(() => events.filter((event) => event.startsWith("new"))).toHaveLength(3);
  expect(events.findIndex(of("live"))).toBeLessThan(events.findIndex(of("more")));
  await unsubscribe();
  const { length } = events;
  await post(hub.url, { to_claude: "ada", task: "too late" });
  const { body } = await http(`${hub.url}/presence/ada`);
  expect(body.data.instances[0].connections).toEqual([]);
  expect(events).toHaveLength(length);
});

test("tells a sender what became of its task, over a broken line", async () => {
  const proxy = await FaultProxy.start(hub);
  become(`http://127.0.0.1:${proxy.port}/api/coord`, "windows_frontend");
  const { handler, until } = collect();
  const unsubscribe = await subscribe(handler);
  become(hub.url, "windows_frontend");
  const { id } = await sendTask("count");
  proxy.cut();
  vi.stubEnv("CLAUDE_ID", "server_backend");
  await claimTask(id);
  await completeTask(id, "42");
  expect((await until(3)).slice(-3)).toEqual(["new count", `claimed ${id}`, "completed 42"]);
  await unsubscribe();
});

test("hands over one event after another", async () => {
  become(hub.url, "slow");
  for (const task of ["1", "2", "3"]) await post(hub.url, { to_claude: "slow", task });
  let underWay = 0;
  const seen: (string | undefined)[] = [];
  const unsubscribe = await subscribe(async ({ message }) => {
    expect(++underWay).toBe(1);
    await claimTask(message.id).catch(() => {});
    underWay--;
    if (message.task !== undefined) seen.push(message.task);
  });
  await expect.poll(() => seen).toEqual(["1", "2", "3"]);
  await unsubscribe();
});

test("keeps the process alive until it is ended", async () => {
  const code = `
    import { subscribe } from './coordinationClient';
    const unsubscribe = await subscribe(async ({ message }) => {
      console.log('got ' + message.task);
      if (message.task === 'stop') await unsubscribe();
    });
    console.log('subscribed');`;
  const program = Program.start(code, { env: { COORDINATION_API_URL: hub.url, CLAUDE_ID: "listener" } });
  await program.printed("subscribed");
  await post(hub.url, { to_claude: "listener", task: "hello" });
  await program.printed("got hello");
  expect(program.isRunning).toBe(true);
  await post(hub.url, { to_claude: "listener", task: "stop" });
  expect([await program.exited, program.stderr]).toEqual([{ code: 0, signal: null }, ""]);
});

test("what a handler throws is told, and the next event is handed over", async () => {
  const code = `
    import { subscribe } from './coordinationClient';
    const unsubscribe = await subscribe(async ({ message }) => {
      if (message.task === 'stop') await unsubscribe();
      else throw new Error('cannot do ' + message.task);
    });`;
  for (const task of ["this", "that", "stop"]) await post(hub.url, { to_claude: "clumsy", task });
  const exit = await Program.run(code, { env: { COORDINATION_API_URL: hub.url, CLAUDE_ID: "clumsy" } });
  expect(exit).toMatchObject({
    code: 0,
    stderr: expect.stringMatching(/cannot do this\n +at .*cannot do that\n +at /s),
  });
});

test("the README's worker, in two processes of one name, does what waits for another task once that is complete", async () => {
  const { url } = await startHub();
  const first = await post(url, { to_claude: "somebody", task: "first" });
  const second = await post(url, { task: "second", after: [first] });
  const workers = [0, 1].map(() => Program.start(README_WORKER, { env: { COORDINATION_API_URL: url } }));
  const ended = async () => (await http(`${url}/messages?to_claude=server_backend&status=complete`)).body.data;
  await expect.poll(ended, { timeout: 10_000 }).toHaveLength(workers.length); // each sends one
  await http(`${url}/message/${first}/complete`, { method: "POST", body: {} });
  await expect.poll(() => read(url, second)).toMatchObject({ status: "complete", result: "did: second" });
  expect(workers.map(({ isRunning }) => isRunning)).toEqual([true, true]);
});

test("needs a name", async () => {
  become(hub.url);
  await expect(subscribe(() => {})).rejects.toThrow("CLAUDE_ID is not set");
  await expect(subscribe(() => {}, "not a name")).rejects.toThrow("must be 1 to 128 of the characters");
});
