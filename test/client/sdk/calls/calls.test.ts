import { expect, it } from "vitest";
import { Calls } from "../../../../client/sdk/calls/calls.ts";
import { KeepAlive } from "../../../../client/sdk/connection/keepAlive.ts";
import type { Transport } from "../../../../client/sdk/connection/transports/transport.ts";
import { connect, type Hub, HubUnreachable } from "../../../../client/sdk/index.ts";
import { LIVENESS } from "../../../../shared/index.ts";
import { ManualClock } from "../../../support/clock.ts";
import { startHub } from "../../../support/hub.ts";
import { freePort } from "../../../support/ports.ts";
import { HubProcess } from "../../../support/processes.ts";
import { seededRandom } from "../../../support/random.ts";
import { Heard, join, later, reaches, SOON, startProxied } from "../support.ts";

it("a call whose answer was lost is repeated, and happens once", async () => {
  const { server, proxy, url } = await startProxied();
  const [ada, observer] = [await join(url, { as: "ada", transport: "websocket" }), await join(server.url)];
  const news = new Heard(observer, "new");
  await reaches(observer, "online");
  proxy.faults.delayMs = 20; // the answer is still under way when the line breaks
  const sending = ada.send({ to_claude: "bob", task: "once" });
  await news.count(1);
  proxy.cut();
  proxy.faults.delayMs = undefined;
  const task = await sending;
  expect(task).toMatchObject({ id: news.all[0]?.message.id, deduplicated: true });
  expect((await observer.list({})).count).toBe(1);
});

it("a claim whose answer was lost is asked again with its key, and is the same claim", async () => {
  const { server, proxy, url } = await startProxied();
  const [bob, observer] = [await join(url, { as: "bob", transport: "websocket" }), await join(server.url)];
  const claims = new Heard(observer, "claimed");
  await reaches(observer, "online");
  const { id } = await observer.send({ from_claude: "ada", to_claude: "bob", task: "x" });
  proxy.faults.delayMs = 20;
  const claiming = bob.claimNext({ wait_ms: 1_000 });
  await claims.count(1);
  proxy.cut();
  proxy.faults.delayMs = undefined;
  expect(await claiming).toMatchObject({ id, attempt: 1, status: "in_progress" });
  expect(claims.all).toHaveLength(1);
});

it("a call is repeated once and only once", async () => {
  const { proxy, url } = await startProxied();
  const ada = await join(url, { as: "ada", transport: "websocket" });
  const states = new Heard(ada, "state");
  proxy.blackHole();
  const doomed = later(ada.send({ to_claude: "bob", task: "lost twice" }));
  const younger = new Promise<unknown>((resolve) => {
    ada.on("state", ({ state }) => {
      if (state !== "online" || states.all.filter((change) => change.state === "online").length > 1) return;
      proxy.blackHole(); // before the repeat leaves
      resolve(later(ada.stats()));
      setImmediate(() => setImmediate(breakAgain));
    });
  });
  const breakAgain = () => {
    proxy.cut();
    proxy.resume();
  };
  await new Promise((sent) => setImmediate(() => setImmediate(sent)));
  breakAgain();
  await expect(doomed).rejects.toMatchObject({ code: "connection_lost", retryable: true });
  await expect(doomed).rejects.toThrow(/lost twice during send.*repeat it with the same key/);
  expect(await younger).toMatchObject({ total: 0 });
});

it("a retry is not repeated unseen: what it brought back may have failed again", async () => {
  const { proxy, url, server } = await startProxied();
  const [ada, bob] = [await join(server.url, { as: "ada" }), await join(url, { as: "bob", transport: "websocket" })];
  const { id } = await ada.send({ to_claude: "ada", task: "doomed" });
  const fails = async () => ada.fail({ id, attempt: (await ada.claim({ id })).attempt });
  await fails();
  const retried = new Heard(ada, "ready");
  proxy.faults.delayMs = 500; // for the answer to be under way still
  const lost = later(bob.retry({ id }));
  await retried.count(1);
  await fails();
  proxy.cut();
  proxy.faults.delayMs = undefined;
  await expect(lost).rejects.toMatchObject({ code: "connection_lost", retryable: false });
  await expect(lost).rejects.toThrow(
    "the connection was lost during retry, which may have happened: look how things stand",
  );
  await bob.stats();
  expect(await ada.get({ id })).toMatchObject({ status: "failed", attempt: 2 });
});

it("calls made while there is no line wait for one", async () => {
  const { proxy, url } = await startProxied();
  const ada = await join(url, { as: "ada", transport: "websocket" });
  proxy.faults.refuse = "connections";
  proxy.cut();
  await reaches(ada, "waiting", "connecting");
  const sending = [ada.chat("bob", "one"), ada.chat("bob", "two")];
  proxy.faults.refuse = undefined;
  await Promise.all(sending);
  expect((await ada.list({ to_claude: "bob" })).messages.map(({ task }) => task)).toEqual(["one", "two"]);
});

it("calls whose time was over are in nobody's way", async () => {
  const { proxy, url } = await startProxied();
  const ada = await join(url, { as: "ada", transport: "websocket" });
  proxy.faults.refuse = "connections";
  proxy.cut();
  await reaches(ada, "waiting", "connecting");
  const late = Array.from({ length: 40 }, () => ada.stats({}, { timeout_ms: 10 }));
  for (const { status } of await Promise.allSettled(late)) expect(status).toBe("rejected");
  const call = ada.stats();
  proxy.faults.refuse = undefined;
  expect(await call).toMatchObject({ total: 0 });
});

it("calls get through a line that breaks again and again, a few each time, however many wait", async () => {
  const { server, proxy, url } = await startProxied({ ...seededRandom(), int: (below) => below });
  const ada = await join(url, { as: "ada", transport: "websocket" });
  proxy.faults.refuse = "connections";
  proxy.cut();
  await reaches(ada, "waiting", "connecting");
  const sending = Array.from({ length: 80 }, (_, i) => insisted(ada, `${i} ${"x".repeat(1_000)}`));
  proxy.faults.cutWithinBytes = 60_000;
  proxy.faults.refuse = undefined;
  await Promise.all(sending);
  const observer = await join(server.url);
  expect((await observer.list({ to_claude: "bob", limit: 500 })).count).toBe(80);
});

/** Sends until the hub has answered. */
async function insisted(hub: Hub, task: string): Promise<void> {
  const message = { to_claude: "bob", type: "chat", task, idempotency_key: task.split(" ")[0] as string } as const;
  for (;;) {
    const error = await hub.send(message).then(
      () => undefined,
      (reason) => reason,
    );
    if (!error) return;
    expect(error).toMatchObject({ code: "connection_lost" });
  }
}

it("calls that wait at the hub hold up no other after a loss", async () => {
  const { server, proxy, url } = await startProxied();
  const [ada, bob] = [await join(server.url, { as: "ada" }), await join(url, { as: "bob", transport: "websocket" })];
  const claims = Array.from({ length: 100 }, () => bob.claimNext({ wait_ms: 30_000 }));
  expect(await bob.stats()).toMatchObject({ total: 0 });
  proxy.cut();
  await reaches(bob, "waiting", "connecting");
  expect(await bob.stats()).toMatchObject({ total: 0 });
  await Promise.all(claims.map((_, i) => ada.send({ to_claude: "bob", task: `${i}` })));
  expect((await Promise.all(claims)).filter((task) => task === null)).toEqual([]);
});

it("calls that wait at the hub leave a quarter of the limit to others, which overtake them", () => {
  const calls = new Calls(new ManualClock(), new KeepAlive(), () => {});
  calls.limit = 4;
  const line = {} as Transport;
  const taken = () => calls.take(line).map(({ id }) => id);
  for (let i = 0; i < 5; i++) void calls.call("claim_next", { wait_ms: 25_000 }, 55_000);
  void calls.call("stats", {}, 30_000);
  void calls.call("stats", {}, 30_000);
  expect(taken()).toEqual([1, 2, 3, 6]);
  calls.answered(1, null);
  expect(taken()).toEqual([4]);
  calls.answered(6, {});
  expect(taken()).toEqual([7]);
  calls.answered(7, {});
  expect(taken()).toEqual([]);
  calls.lineLost(line, "none");
  expect(taken()).toEqual([2, 3, 4]);
});

it("a call that is not answered in time fails and says what to do", async () => {
  const { proxy, url } = await startProxied();
  const ada = await join(url, { as: "ada", transport: "websocket" });
  proxy.blackHole();
  const late = ada.stats({}, { timeout_ms: 50 });
  await expect(late).rejects.toMatchObject({ code: "call_timeout", retryable: true });
  await expect(late).rejects.toThrow("stats was not answered within 50 ms");
  proxy.resume();
  expect(await ada.stats()).toMatchObject({ total: 0 });
});

it("a call that waits at the hub has its time on top", async () => {
  const clock = new ManualClock();
  const { proxy, url } = await startProxied();
  const ada = await join(url, { as: "ada", transport: "websocket", clock });
  proxy.blackHole();
  const ended: string[] = [];
  const note = (what: string) => () => void ended.push(what);
  const plain = ada.stats({}, { timeout_ms: 5_000 }).catch(note("plain"));
  const waits = ada.claimNext({ wait_ms: 10_000 }, { timeout_ms: 5_000 }).catch(note("waits"));
  clock.advance(5_000);
  await plain;
  clock.advance(9_999);
  expect(ended).toEqual(["plain"]);
  clock.advance(1);
  await waits;
  expect(ended).toEqual(["plain", "waits"]);
  proxy.resume();
});

it("a task that is claimed after its caller gave up waiting goes back to whoever asks next", async () => {
  const clock = new ManualClock();
  const { proxy, url } = await startProxied();
  const ada = await join(url, { as: "ada", transport: "websocket", clock });
  const { id } = await ada.send({ to_claude: "ada", task: "one" });
  proxy.blackHole();
  const late = ada.claimNext({}, { timeout_ms: 5_000 });
  await new Promise((sent) => setImmediate(() => setImmediate(sent)));
  clock.advance(5_000);
  await expect(late).rejects.toMatchObject({ code: "call_timeout" });
  proxy.resume();
  expect(await ada.claimNext({ wait_ms: 10_000 })).toMatchObject({ id, attempt: 2 });
});

it("more calls than the hub takes at once wait for their turn", async () => {
  const { url } = await startHub();
  const ada = await join(url, { as: "ada" });
  const answers = await Promise.all(Array.from({ length: 12_000 }, () => ada.stats()));
  expect(answers).toHaveLength(12_000);
});

it.each(["websocket", "long_poll"] as const)("a call of a circular value fails alone (%s)", async (transport) => {
  const { url } = await startHub();
  const ada = await join(url, { as: "ada", transport });
  const circular: Record<string, unknown> = { to_claude: "bob" };
  circular.task = circular;
  const [bad, good] = await Promise.allSettled([ada.send(circular as never), ada.stats()]);
  expect(bad).toMatchObject({ status: "rejected", reason: { name: "TypeError" } });
  expect(good).toMatchObject({ status: "fulfilled" });
});

it("calls survive a hub that restarts in good order", async () => {
  const server = await HubProcess.start();
  const ada = await join(server.url, { as: "ada" });
  const states = new Heard(ada, "state");
  const sent = Array.from({ length: 200 }, (_, i) => ada.chat("bob", `${i}`));
  const stopped = server.stop();
  const more = Array.from({ length: 200 }, (_, i) => ada.chat("bob", `${200 + i}`));
  expect(await stopped).toMatchObject({ code: 0 });
  await startHub({ port: server.port, db: server.db });
  await Promise.all([...sent, ...more]);
  const { messages } = await ada.list({ to_claude: "bob", limit: 500 });
  expect(new Set(messages.map(({ task }) => task)).size).toBe(400);
  expect(messages).toHaveLength(400);
  const loss = states.all.find(({ state }) => state === "waiting");
  expect(loss?.retry_in_ms).toBe(SOON.random() * LIVENESS.reconnect_spread_ms);
});

it("waits for a hub that starts at the same time", async () => {
  const port = await freePort();
  const joining = join(`http://127.0.0.1:${port}/api/coord`, { as: "ada" });
  await startHub({ port });
  expect((await joining).state).toMatch(/online|polling|probing/);
});

it("says what to do when no hub answers", async () => {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}/api/coord`;
  const joining = connect({ url, timeout_ms: 100 });
  await expect(joining).rejects.toMatchObject({ name: "HubUnreachable", code: "hub_unreachable", url });
  await expect(joining).rejects.toThrow(`no hub answers at ${url}: start one with \`coord hub --port ${port}\``);
  await expect(joining).rejects.toMatchObject({ cause: expect.stringContaining("ECONNREFUSED") });
  const usual = new HubUnreachable("http://localhost:3000/api/coord");
  expect(usual.message).toBe("no hub answers at http://localhost:3000/api/coord: start one with `coord hub`");
  const elsewhere = new HubUnreachable("http://hub.example.com:3000/api/coord");
  expect(elsewhere.message).toMatch(/: check the address, and whether a hub runs there$/);
});
