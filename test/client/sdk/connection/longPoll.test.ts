/** Each call is a request of its own: what becomes of one is the others' business as little as possible. */
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { expect, it } from "vitest";
import { defer } from "../../../support/defer.ts";
import { startHub } from "../../../support/hub.ts";
import { Heard, join, later, through } from "../support.ts";

/** What was asked for: `GET /stats`. */
interface Asked {
  what: string;
  body: string;
}

/** @returns whether the request is let through; a gateway says else that it has no answer. */
type Judge = (asked: Asked) => boolean | Promise<boolean>;

/** A gateway before a hub, for requests alone. @returns where clients connect. */
async function startGateway(origin: string, judge: Judge): Promise<string> {
  const gateway = createServer((request, response) => void carry(request, response, origin, judge));
  await once(gateway.listen(0, "127.0.0.1"), "listening");
  defer(() => gateway.close());
  defer(() => gateway.closeAllConnections());
  return through({ port: (gateway.address() as AddressInfo).port });
}

async function carry(request: IncomingMessage, response: ServerResponse, origin: string, judge: Judge) {
  const gone = new AbortController();
  response.on("close", () => gone.abort());
  const { method = "GET", url = "", headers } = request;
  const body = await text(request);
  const [path = ""] = url.split("?");
  if (!(await judge({ what: `${method} ${path.replace("/api/coord", "")}`, body }))) {
    return response.writeHead(502).end("<html>bad gateway</html>");
  }
  const { host: _, connection: __, "content-length": ___, ...said } = headers as Record<string, string>;
  const sent = method === "GET" ? {} : { body };
  const answer = await fetch(origin + url, { method, headers: said, signal: gone.signal, ...sent }).catch(
    () => undefined,
  );
  if (answer) response.writeHead(answer.status).end(await answer.text());
}

it("a broken request breaks nothing: it is made again", async () => {
  const { origin } = await startHub();
  const broken = new Set<string>();
  const url = await startGateway(origin, ({ what, body }) => {
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
  const { origin } = await startHub();
  const tries = new Map<string, number>();
  const asked: (() => void)[] = [];
  let release = () => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  const url = await startGateway(origin, async ({ what, body }) => {
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
  const { origin } = await startHub();
  const url = await startGateway(origin, ({ what }) => what !== "GET /stats");
  const ada = await join(url, { as: "ada", transport: "long_poll" });
  await expect(ada.stats()).rejects.toThrow(/lost twice during stats/);
});

it("a worker that waits for more tasks than there are places holds up nothing else", async () => {
  const { url } = await startHub();
  const [ada, bob] = [await join(url, { as: "ada" }), await join(url, { as: "bob", transport: "long_poll" })];
  bob.work(() => "done", { concurrency: 100 });
  const tasks = await Promise.all(["one", "two"].map((task) => ada.send({ to_claude: "bob", task })));
  for (const task of tasks) expect(await task.result()).toMatchObject({ result: "done" });
  expect(await bob.stats()).toMatchObject({ total: 2 });
});
