/** Where no hub answers, every function says so within 5 seconds, in the document's words. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { afterEach, expect, test, vi } from "vitest";
import {
  claimTask,
  completeTask,
  deleteMessage,
  getAllMessages,
  getMessage,
  getPendingTasks,
  sendTask,
  subscribe,
  testCoordinationAPI,
} from "../../../client/coordinationClient/index.ts";
import { ask } from "../../../client/coordinationClient/restCalls.ts";
import { defer } from "../../support/defer.ts";
import { startHub } from "../../support/hub.ts";
import { freePort } from "../../support/ports.ts";
import { FaultProxy } from "../../support/proxy.ts";
import { Program } from "./program.ts";
import { become, NOT_RUNNING, serve } from "./support.ts";

afterEach(() => vi.unstubAllEnvs());

const FUNCTIONS = {
  sendTask: () => sendTask("x"),
  getPendingTasks: () => getPendingTasks(),
  getAllMessages: () => getAllMessages(),
  getMessage: () => getMessage("a1"),
  claimTask: () => claimTask("a1"),
  completeTask: () => completeTask("a1", "x"),
  deleteMessage: () => deleteMessage("a1"),
};
const subscribing = () => subscribe(() => {});

/** Answers of servers that are no hubs. */
const ANSWERS: Record<string, [status: number, body: string]> = {
  html: [200, "<!doctype html><title>Welcome</title>"],
  gateway: [502, "<h1>502 Bad Gateway</h1>"],
  empty: [204, ""],
  nothing: [200, "null"],
  list: [200, "[]"],
  text: [200, '"ok"'],
  api: [404, '{"statusCode":404,"message":"Cannot GET /messages","error":"Not Found"}'],
  other: [200, '{"ok":true}'],
  success: [200, '{"success":true}'],
  half: [200, '{"success":true,"data":['],
  stalled: [200, '{"success":true,"data":['],
};

const base = (port: number) => `http://127.0.0.1:${port}/api/coord`;

/** Calls a function of a place where no hub is. @returns what it threw, and whether that took too long. */
async function outcomeOf(url: string, call: () => Promise<unknown>) {
  become(url, "server_backend");
  const start = performance.now();
  const outcome = await call().catch((error: Error) => error.message);
  const tookMs = performance.now() - start;
  return [url, outcome, tookMs < 5_000 ? "in time" : tookMs];
}

const outcomesOf = (url: string, calls: readonly (() => Promise<unknown>)[]) =>
  Promise.all(calls.map((call) => outcomeOf(url, call)));

const failed = (url: string) => [url, NOT_RUNNING, "in time"];

test("where no hub answers, every function says so in time; what arrives too late happens once", async () => {
  const hub = await startHub();
  const hole = await FaultProxy.start(hub);
  hole.blackHole();
  const server = await serve((request, response) => {
    const kind = (request.url as string).split("/")[1] as string;
    const [status, body] = ANSWERS[kind] as [number, string];
    response.writeHead(status, { "content-type": "application/json" }).write(body);
    if (kind !== "stalled") response.end();
  });
  const [refused, silent, mute] = [base(await freePort()), base(hole.port), await serve(() => {})];
  const strange = Object.keys(ANSWERS).map((kind) => `${server}/${kind}`);

  const functions = Object.values(FUNCTIONS);
  const [ofRefused, ofSilent, ofSubscribe, ofStrange, ofTest] = await Promise.all([
    outcomesOf(refused, functions),
    outcomesOf(silent, functions),
    Promise.all([refused, mute, `${server}/html`].map((url) => outcomeOf(url, subscribing))),
    Promise.all(strange.map((url) => outcomeOf(url, getAllMessages))),
    Promise.all([refused, silent, ...strange].map((url) => outcomeOf(url, testCoordinationAPI))),
  ]);
  expect(ofRefused).toEqual(functions.map(() => failed(refused)));
  expect(ofSilent).toEqual(functions.map(() => failed(silent)));
  expect(ofSubscribe).toEqual([refused, mute, `${server}/html`].map(failed));
  expect(ofStrange).toEqual(strange.map(failed));
  expect(ofTest.map(([, ...rest]) => rest)).toEqual(ofTest.map(() => [false, "in time"]));

  become(silent, "server_backend");
  hole.resume(); // what was asked for reaches the hub after all
  const sent = await sendTask("x");
  expect((await getAllMessages()).map(({ id }) => id)).toEqual([sent.id]);
  await expect.poll(() => hole.open).toBe(0);
});

test("what the caller got wrong is said in its own words, and is no hub's fault", async () => {
  const url = base(await freePort());
  const circular: Record<string, unknown> = {};
  circular.self = circular;
  const outcomes = [];
  for (const result of [10n, circular]) outcomes.push(await outcomeOf(url, () => completeTask("a1", result as never)));
  for (const place of ["localhost:3000/api/coord", "http://"]) outcomes.push(await outcomeOf(place, subscribing));
  vi.stubEnv("COORDINATION_TOKEN", "secret\n");
  outcomes.push(await outcomeOf(url, getAllMessages));
  expect(outcomes.map(([, message]) => message)).toEqual([
    "Do not know how to serialize a BigInt",
    expect.stringMatching(/^Converting circular structure to JSON/),
    expect.stringMatching(/^url must begin with .*: localhost:3000\/api\/coord$/),
    expect.stringMatching(/^url must begin with .*: http:\/\/$/),
    'Invalid character in header content ["COORDINATION_TOKEN"]',
  ]);
});

test("a process is told in time, too, and then ends at once", async () => {
  const code = `
    import { getAllMessages } from './coordinationClient';
    const start = performance.now();
    await getAllMessages().catch((error) => console.log(error.message));
    process.on('exit', () => console.log(performance.now() - start < 5_000));`;
  const gone = base(await deafPort());
  const silent = await serve(() => {});
  const run = (url: string) => Program.run(code, { env: { COORDINATION_API_URL: url } });
  const exit = { code: 0, signal: null, stdout: `${NOT_RUNNING}\ntrue\n`, stderr: "" };
  expect(await Promise.all([run(gone), run(silent)])).toEqual([exit, exit]);
});

test("a call whose time is up before it can be made counts as one that nobody answered", async () => {
  const { url } = await startHub();
  for (const withinMs of [0, -10]) {
    const call = ask({ url, as: undefined, token: undefined }, "stats", {}, withinMs);
    await expect(call).rejects.toThrow(NOT_RUNNING);
  }
});

/** A port that takes no connections and refuses none, as a machine that is gone. */
async function deafPort(): Promise<number> {
  const script = `
    const server = require("node:net").createServer().listen({ port: 0, host: "127.0.0.1", backlog: 1 }, () => {
      require("node:fs").writeSync(1, String(server.address().port));
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
    });`;
  const child = spawn(process.execPath, ["-e", script], { stdio: ["ignore", "pipe", "inherit"] });
  const exited = once(child, "exit");
  const waiting: Socket[] = [];
  defer(async () => {
    for (const socket of waiting) socket.destroy();
    child.kill("SIGKILL");
    await exited;
  });
  const [port] = await once(child.stdout, "data");
  for (let isFull = false; !isFull; ) {
    const socket = connect({ host: "127.0.0.1", port: Number(port) }).on("error", () => {});
    waiting.push(socket);
    isFull = await Promise.race([
      once(socket, "connect").then(() => false),
      new Promise<boolean>((resolve) => setTimeout(resolve, 300, true)),
    ]);
  }
  return Number(port);
}
