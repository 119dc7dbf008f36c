/** Each call is a request of its own: what becomes of one is the others' business as little as possible. */
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { type AddressInfo, connect as connectTcp, type Socket } from "node:net";
import { text } from "node:stream/consumers";
import { expect, it } from "vitest";
import { ManualClock } from "../../../support/clock.ts";
import { defer } from "../../../support/defer.ts";
import { startHub, type TestHub } from "../../../support/hub.ts";
import { Heard, join, later, reaches, through } from "../support.ts";

/** What was asked for: `GET /stats`. */
interface Asked {
  what: string;
  body: string;
}

/** @returns whether the request is let through; a gateway says else that it has no answer. */
type Judge = (asked: Asked) => boolean | Promise<boolean>;

/** A gateway before a hub. */
class Gateway {
  url = "";
  takesSockets = false;
  hub: TestHub;
  readonly #judge: Judge;
  readonly #open = new Set<ServerResponse>();
  #onIdle = () => {};

  private constructor(hub: TestHub, judge: Judge) {
    this.hub = hub;
    this.#judge = judge;
  }

  static async start(hub: TestHub, judge: Judge = () => true): Promise<Gateway> {
    const gateway = new Gateway(hub, judge);
    const server = createServer((request, response) => void gateway.#carry(request, response));
    server.on("upgrade", (request, socket: Socket) => gateway.#join(request, socket));
    await once(server.listen(0, "127.0.0.1"), "listening");
    defer(() => server.close());
    defer(() => server.closeAllConnections());
    gateway.url = through({ port: (server.address() as AddressInfo).port });
    return gateway;
  }

  /** Resolves when no request waits for its answer. */
  async idle(): Promise<void> {
    if (this.#open.size === 0) return;
    await new Promise<void>((resolve) => {
      this.#onIdle = resolve;
    });
  }

  #join(request: IncomingMessage, socket: Socket): void {
    socket.on("error", () => {});
    if (!this.takesSockets) {
      return void socket.end("HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n", () => socket.destroy());
    }
    const hub = connectTcp(this.hub.port, "127.0.0.1").on("error", () => {});
    socket.on("close", () => hub.destroy());
    defer(() => socket.destroy());
    const { rawHeaders } = request;
    const lines = rawHeaders.flatMap((name, i) => (i % 2 === 0 ? [`${name}: ${rawHeaders[i + 1]}`] : []));
    hub.write([`GET ${request.url} HTTP/1.1`, ...lines, "", ""].join("\r\n"));
    hub.pipe(socket).pipe(hub);
  }

  async #carry(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const gone = new AbortController();
    this.#open.add(response);
    response.on("close", () => {
      gone.abort();
      this.#open.delete(response);
      if (this.#open.size === 0) this.#onIdle();
    });
    const { method = "GET", url = "", headers } = request;
    const body = await text(request);
    const [path = ""] = url.split("?");
    const passes = await this.#judge({ what: `${method} ${path.replace("/api/coord", "")}`, body });
    if (!passes) return void response.writeHead(502).end("<html>bad gateway</html>");
    const { host: _, connection: __, "content-length": ___, ...said } = headers as Record<string, string>;
    const sent = { method, headers: said, signal: gone.signal, ...(method !== "GET" && { body }) };
    const answer = await fetch(this.hub.origin + url, sent).catch(() => undefined);
    if (answer) response.writeHead(answer.status).end(await answer.text());
  }
}

it("a broken request breaks nothing: it is made again", async () => {
  const broken = new Set<string>();
  const { url } = await Gateway.start(await startHub(), ({ what, body }) => {
    const isNew = !broken.has(what + body);
    broken.add(what + body);
    return !isNew;
  });
  const ada = await join(url, { as: "ada", transport: "long_poll" });
  const states = new Heard(ada, "state");
  await Promise.all(Array.from({ length: 20 }, (_, i) => ada.chat("bob", `${i}`)));
  expect((await ada.list({ to_claude: "bob" })).count).toBe(20);
  expect(states.all).toEqual([]);
});

it("a request that breaks the line counts against no call but its own", async () => {
  const tries = new Map<string, number>();
  const asked: (() => void)[] = [];
  let release = () => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  const { url } = await Gateway.start(await startHub(), async ({ what, body }) => {
    const isHeld = what === "GET /stats";
    if (isHeld) asked.shift()?.();
    if (isHeld) await released;
    tries.set(body, (tries.get(body) ?? 0) + 1);
    return !body.includes("breaks") || (tries.get(body) as number) > 2;
  });
  const ada = await join(url, { as: "ada", transport: "long_poll" });
  const isHeld = new Promise<void>((resolve) => asked.push(resolve));
  const counted = later(ada.stats());
  await isHeld;
  for (const breaks of ["breaks one line", "breaks another"]) {
    const isHeldAgain = new Promise<void>((resolve) => asked.push(resolve));
    await ada.chat("bob", breaks);
    await Promise.race([isHeldAgain, counted]);
  }
  release();
  expect(await counted).toMatchObject({ total: 2 });
});

it("a call whose own request breaks the line twice fails", async () => {
  const { url } = await Gateway.start(await startHub(), ({ what }) => what !== "GET /stats");
  const ada = await join(url, { as: "ada", transport: "long_poll" });
  await expect(ada.stats()).rejects.toThrow(/lost twice during stats/);
});

it("a worker that asks for more tasks than calls may be in flight holds up nothing else", async () => {
  const { url } = await startHub();
  const [ada, bob] = [await join(url, { as: "ada" }), await join(url, { as: "bob", transport: "long_poll" })];
  bob.work(() => "done", { concurrency: 100 });
  const tasks = await Promise.all(["one", "two"].map((task) => ada.send({ to_claude: "bob", task })));
  for (const task of tasks) expect(await task.result()).toMatchObject({ result: "done" });
  expect(await bob.stats()).toMatchObject({ total: 2 });
});

it("a worker's question that was held back on its way takes no task that nobody does", async () => {
  let release = () => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  const questions: string[] = [];
  const { url, hub } = await Gateway.start(await startHub(), async ({ what, body }) => {
    if (what === "POST /claim" && questions.push(body) === 1) await released;
    return true;
  });
  const clock = new ManualClock();
  const ada = await join(hub.url, { as: "ada" });
  const [back, claimed] = [new Heard(ada, "released"), new Heard(ada, "claimed")];
  const bob = await join(url, { as: "bob", transport: "long_poll", clock });
  let finish = () => {};
  bob.work(({ task }) => (task === "two" ? new Promise<void>((resolve) => (finish = resolve)) : undefined));
  while (questions.length === 0) await bob.stats();
  clock.advance(60_000); // it is asked again
  const send = (task: string) => ada.send({ to_claude: "bob", task, backoff_ms: 0 });
  await (await send("one")).result();
  await send("two");
  await claimed.count(2);
  const third = await send("three");
  release();
  expect((await back.count(1))[0]).toMatchObject({ message: { id: third.id, attempt: 1 } });
  finish();
  expect(await third.result()).toMatchObject({ attempt: 2 });
});

it("back on the socket, nobody asks over HTTP any more, though tasks are held", async () => {
  const hub = await startHub();
  const gateway = await Gateway.start(hub);
  const [ada, bob] = [await join(hub.url, { as: "ada" }), await join(gateway.url, { as: "bob" })];
  await ada.send({ to_claude: "bob", task: "held" });
  await bob.claimNext();
  gateway.takesSockets = true;
  await reaches(bob, "online");
  await gateway.idle();
  expect(bob.state).toBe("online");
});

it("another log behind the same line is told, although the line was never broken", async () => {
  const [before, after] = [await startHub(), await startHub()];
  const gateway = await Gateway.start(before);
  const bob = await join(gateway.url, { as: "bob", transport: "long_poll" });
  const [resyncs, news] = [new Heard(bob, "resync"), new Heard(bob, "new")];
  const ada = await join(before.url, { as: "ada" });
  await ada.chat("bob", "first");
  await news.count(1);
  gateway.hub = after;
  await ada.chat("bob", "last of its log"); // answers the poll that is under way
  expect((await resyncs.count(1))[0]).toMatchObject({ reason: "epoch" });
  const eve = await join(after.url, { as: "eve" });
  await eve.chat("bob", "from there");
  expect(await news.find(({ message }) => message.task === "from there")).toMatchObject({ actor: "eve" });
});
