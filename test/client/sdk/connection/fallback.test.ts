/** What happens where sockets are blocked: everything goes over HTTP, until they are not. */
import { once } from "node:events";
import { createServer as createHttpServer } from "node:http";
import { type AddressInfo, connect as connectTcp, createServer, type Socket } from "node:net";
import { describe, expect, it } from "vitest";
import { BACKOFF } from "../../../../client/sdk/connection/backoff.ts";
import { connect, type Message } from "../../../../client/sdk/index.ts";
import { toRestError } from "../../../../shared/index.ts";
import { ManualClock } from "../../../support/clock.ts";
import { defer } from "../../../support/defer.ts";
import { startHub } from "../../../support/hub.ts";
import { Heard, join, later, reaches, startProxied, through } from "../support.ts";
import { Gate } from "./httpGate.ts";

/** A proxy that lets HTTP pass, and of a socket's bytes from the client only the first `upgradeChunks` chunks. */
async function startStifling(hubPort: number, upgradeChunks: number): Promise<string> {
  const server = createServer((client) => {
    const hub = connectTcp(hubPort, "127.0.0.1");
    for (const socket of [client, hub]) socket.on("error", () => {});
    defer(() => client.destroy());
    let [upgrades, chunks] = [false, 0];
    client.on("data", (chunk) => {
      upgrades ||= /^upgrade: *websocket/im.test(chunk.toString("latin1"));
      if (!upgrades || chunks++ < upgradeChunks) hub.write(chunk);
    });
    hub.pipe(client);
    client.on("close", () => hub.destroy());
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  defer(() => server.close());
  return through({ port: (server.address() as AddressInfo).port });
}

it("leaves nothing behind of the calls that were made", async () => {
  const hub = await startHub();
  const ada = await join(hub.url, { as: "ada", transport: "long_poll" });
  const warnings: Error[] = [];
  const listen = (warning: Error) => warnings.push(warning);
  process.on("warning", listen);
  defer(() => process.off("warning", listen));
  await Promise.all(Array.from({ length: 1_700 }, () => ada.stats()));
  expect(warnings).toEqual([]);
});

it("goes on from `resume` for the first who listens, also while HTTP has yet to answer to the hello before", async () => {
  const server = await startHub();
  const gate = await Gate.start(server.port);
  const ada = await join(server.url, { as: "ada" });
  const { cursor } = await ada.list();
  for (const text of ["one", "two"]) await ada.chat("bob", text);
  const bob = await join(gate.url, { as: "bob", resume: cursor });
  gate.passes = "none";
  gate.cut();
  const counted = later(bob.stats());
  await reaches(bob, "waiting");
  gate.passes = "later";
  await gate.held;
  const heard = new Heard(bob, "new");
  gate.release();
  expect((await heard.count(2)).map(({ message }) => message.task)).toEqual(["one", "two"]);
  expect(await counted).toMatchObject({ total: 2 });
});

it("asks over HTTP again soon after that broke, however far off the socket's next attempt is", async () => {
  const clock = new ManualClock();
  const gate = await Gate.start((await startHub()).port);
  const bob = await join(gate.url, { as: "bob", clock, random: () => 0.5 });
  const states = new Heard(bob, "state");
  for (let failures = 1; failures <= 5; failures++) {
    clock.advance(BACKOFF.cap_ms);
    await states.find(() => states.all.filter(({ previous }) => previous === "probing").length === failures);
  }
  gate.passes = "none";
  gate.cut();
  const counted = later(bob.stats());
  await states.find(({ state }) => state === "waiting");
  gate.passes = "all";
  clock.advance(BACKOFF.base_ms);
  expect(await counted).toMatchObject({ total: 0 });
});

describe("while a socket that was refused is open, and its hello not answered", () => {
  it("is served over HTTP all the same, and tells of no loss", async () => {
    const gate = await Gate.start((await startHub()).port);
    const bob = await join(gate.url, { as: "bob" });
    const states = new Heard(bob, "state");
    await states.find(({ state, previous }) => state === "polling" && previous === "probing");
    gate.sockets = "silent";
    const { transport, reason } = await states.find(({ state }) => state === "greeting");
    expect({ transport, reason }).toEqual({ transport: "long_poll", reason: undefined });
    expect(await bob.stats()).toMatchObject({ total: 0 });
  });

  it("lets what is under way be finished before it closes", async () => {
    const hub = await startHub();
    const gate = await Gate.start(hub.port);
    const [ada, bob] = [await join(hub.url, { as: "ada" }), await join(gate.url, { as: "bob" })];
    const greets = reaches(bob, "greeting");
    bob.work(async () => {
      await greets;
      void bob.close();
      return "done";
    });
    const task = await ada.send({ to_claude: "bob", task: "close yourself" });
    gate.sockets = "silent";
    expect(await task.result()).toMatchObject({ result: "done" });
  });

  it("goes on trying after it said hello anew, although HTTP answers before that socket is down", async () => {
    const clock = new ManualClock();
    const gate = await Gate.start((await startHub()).port);
    const bob = await join(gate.url, { as: "bob", clock });
    const worker = bob.work(() => {});
    const greets = reaches(bob, "greeting");
    gate.sockets = "silent";
    clock.advance(1_000);
    await greets;
    const states = new Heard(bob, "state");
    const closed = worker.close();
    await states.find(({ state }) => state === "probing");
    await closed;
    gate.sockets = "open";
    clock.advance(2_000); // the socket does not answer to being closed
    await states.find(({ state }) => state === "online");
  });

  it("goes on closing as it began", async () => {
    const gate = await Gate.start((await startHub()).port);
    const bob = await join(gate.url, { as: "bob" });
    gate.passes = "later";
    const counts = Promise.all([bob.stats(), bob.stats()]); // one finds a connection open, the other is held back
    await gate.held;
    const closed = bob.close();
    gate.sockets = "silent";
    await reaches(bob, "greeting");
    gate.release();
    expect(await counts).toMatchObject([{ total: 0 }, { total: 0 }]);
    await closed;
  });
});

it("everything works where upgrades are refused", async () => {
  const { server, proxy, url } = await startProxied();
  proxy.faults.refuse = "upgrades";
  const ada = await join(server.url, { as: "ada" });
  await ada.chat("bob", "waited");
  const bob = await join(url, { as: "bob" });
  expect(bob.state).toMatch(/polling|probing/);
  const heard = new Heard(bob, "new");
  await heard.count(1);
  await ada.chat("bob", "live");
  expect((await heard.count(2)).map(({ message }) => message.task)).toEqual(["waited", "live"]);
  bob.work(({ task }) => task.toUpperCase());
  const task = await ada.send({ to_claude: "bob", task: "shout" });
  expect(await task.result()).toMatchObject({ result: "SHOUT" });
  const back = await bob.send({ to_claude: "ada", task: "reply" });
  const { attempt } = await ada.claim({ id: back.id });
  await ada.complete({ id: back.id, attempt, result: "replied" });
  expect(await back.result()).toMatchObject({ result: "replied" });
});

it("goes over to the socket when it is free, and back when it is not, as one stream", async () => {
  const { server, proxy, url } = await startProxied();
  proxy.faults.refuse = "upgrades";
  const [ada, bob] = [await join(server.url, { as: "ada" }), await join(url, { as: "bob" })];
  const heard = new Heard(bob, "new");
  const sent: string[] = [];
  const say = async (text: string) => {
    sent.push(text);
    await ada.chat("bob", text);
  };
  for (let i = 0; i < 20; i++) await say(`over HTTP ${i}`);
  proxy.faults.refuse = undefined;
  for (let i = 0; i < 20 || bob.state !== "online"; i++) await say(`while it goes over ${i}`);
  for (let i = 0; i < 20; i++) await say(`over the socket ${i}`);
  proxy.faults.refuse = "upgrades";
  proxy.cut();
  for (let i = 0; i < 20 || !/polling|probing/.test(bob.state); i++) await say(`while it goes back ${i}`);
  await say("over HTTP again");
  await heard.find(({ message }) => message.task === "over HTTP again");
  expect(heard.all.map(({ message }) => message.task)).toEqual(sent);
});

it("a call that was under way over HTTP is answered when the socket takes over", async () => {
  const { server, proxy, url } = await startProxied();
  proxy.faults.refuse = "upgrades";
  const [ada, bob] = [await join(server.url, { as: "ada" }), await join(url, { as: "bob" })];
  const states = new Heard(bob, "state");
  const claiming = bob.claimNext({ wait_ms: 15_000 });
  proxy.faults.refuse = undefined;
  await states.find(({ state, transport }) => state === "online" && transport === "websocket");
  const { id } = await ada.send({ to_claude: "bob", task: "x" });
  expect(await claiming).toMatchObject({ id, attempt: 1 });
});

it("serves over HTTP when an upgrade is never answered", async () => {
  const { port } = await startHub();
  const bob = await join(await startStifling(port, 0), { as: "bob" });
  expect(bob.state).toMatch(/polling|probing/);
  expect(await bob.stats()).toMatchObject({ total: 0 });
});

it("serves over HTTP when a socket opens and nothing passes it", async () => {
  const { port } = await startHub();
  const bob = await join(await startStifling(port, 1), { as: "bob" });
  expect(bob.state).toMatch(/polling|probing/);
  const heard = new Heard(bob, "new");
  await bob.chat("bob", "to myself");
  await heard.count(1);
});

it("does without the other where only one way is wanted", async () => {
  const { proxy, url } = await startProxied();
  proxy.faults.refuse = "upgrades";
  const stubborn = connect({ url, as: "bob", transport: "websocket", timeout_ms: 200, random: () => 0 });
  await expect(stubborn).rejects.toMatchObject({ code: "hub_unreachable", cause: expect.stringContaining("403") });
  const before = proxy.accepted;
  const bob = await join(url, { as: "bob", transport: "long_poll" });
  expect(bob.state).toBe("online");
  await bob.stats();
  expect(proxy.accepted - before).toBeLessThanOrEqual(2);
});

it("asks for no events while nobody wants them", async () => {
  const server = await startHub();
  const asked: string[] = [];
  const front = createHttpServer((request, response) => {
    asked.push(String(request.url).split("?")[0] as string);
    void fetch(server.origin + request.url).then(async (answer) => response.end(await answer.text()));
  });
  await once(front.listen(0, "127.0.0.1"), "listening");
  defer(() => front.close());
  const bob = await join(through({ port: (front.address() as AddressInfo).port }), { transport: "long_poll" });
  await bob.stats();
  await bob.stats();
  expect(asked).toEqual(["/api/coord/events", "/api/coord/stats", "/api/coord/stats"]);
  await bob.close();
  front.closeAllConnections();
});

it.each([
  ["listens to nothing", "mine"],
  ["is shown everything, which it asks for without its name", "all"],
] as const)("keeps what it holds over HTTP, though it %s", async (_, scope) => {
  const clock = new ManualClock();
  const { url } = await startHub({ clock });
  const [ada, bob] = [await join(url, { as: "ada" }), await join(url, { as: "bob", scope, transport: "long_poll" })];
  if (scope === "all") bob.on("new", () => {});
  const { id } = await ada.send({ to_claude: "bob", task: "a long one" });
  const { attempt } = (await bob.claimNext()) as Message;
  clock.advance(11_000); // a run that asked for nothing since would be gone
  while ((await ada.get({ id })).lease !== "kept");
  clock.advance(20_000);
  expect(await ada.get({ id })).toMatchObject({ status: "in_progress", lease: "kept" });
  await bob.complete({ id, attempt });
});

it("tells what the hub refuses over HTTP, instead of trying for ever", async () => {
  const refusal = { code: "tokens_required", message: "Ask from the hub's own machine" } as const;
  const sockets = new Set<Socket>();
  const front = createHttpServer((_, response) => response.writeHead(403).end(JSON.stringify(toRestError(refusal))));
  front.on("connection", (socket) => sockets.add(socket));
  await once(front.listen(0, "127.0.0.1"), "listening");
  defer(() => front.close());
  defer(() => front.closeAllConnections());
  const joining = connect({ url: through({ port: (front.address() as AddressInfo).port }) });
  await expect(joining).rejects.toMatchObject({ name: "HubError", code: "tokens_required" });
});

it("comes back over HTTP after the hub was away", async () => {
  const { proxy, url } = await startProxied();
  proxy.faults.refuse = "upgrades";
  const bob = await join(url, { as: "bob" });
  const heard = new Heard(bob, "new");
  await bob.stats();
  proxy.faults.refuse = "connections";
  proxy.cut();
  await reaches(bob, "waiting", "connecting");
  proxy.faults.refuse = "upgrades";
  await reaches(bob, "polling", "probing");
  await bob.chat("bob", "to myself");
  await heard.count(1);
});
