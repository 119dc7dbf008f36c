/**
 * An application with the hub mounted into it serves a page with the SDK's browser bundle: in a real browser the page
 * talks to the hub of its own origin, over restarts of the whole application. A page of another origin does not.
 */
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import express from "express";
import { pino } from "pino";
import type { Page } from "playwright-core";
import { describe, expect, test } from "vitest";
import { createHub } from "../../server/index.ts";
import { BASE_PATH } from "../../shared/protocol.ts";
import { join as connect, Heard } from "../client/sdk/support.ts";
import { runIn as run, withChromium } from "../support/chromium.ts";
import { defer } from "../support/defer.ts";
import { http } from "../support/http.ts";
import { freePort } from "../support/ports.ts";
import { repository } from "../support/repository.ts";
import { tempDir } from "../support/tempDir.ts";

const BUNDLE = `${repository}dist/browser/coordination.js`;
const PAGE = `<!doctype html><title>page</title><link rel="icon" href="data:,">
<script type="module">import * as sdk from "/coordination.js"; globalThis.sdk = sdk;</script>`;

/** What both applications have: the page and the bundle. */
const pages = () =>
  express()
    .get("/", (_request, response) => void response.type("html").send(PAGE))
    .get("/coordination.js", (_request, response) => response.sendFile(BUNDLE));

async function listen(server: Server, port: number): Promise<string> {
  await once(server.listen(port, "127.0.0.1"), "listening");
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** An application of somebody's own, with a hub in it. */
async function startApp(place: { port: number; db: string }) {
  const hub = await createHub({ db: place.db, logger: pino({ level: "silent" }) });
  const server = createServer(pages().use(BASE_PATH, hub.router));
  hub.attach(server);
  const origin = await listen(server, place.port);
  const stop = async () => {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    await hub.close();
    server.closeAllConnections();
    await closed;
  };
  defer(() => server.listening && stop());
  return { origin, url: origin + BASE_PATH, stop };
}

describe("a page in a browser", () => {
  const openPage = withChromium();

  async function open(origin: string): Promise<Page> {
    const page = await openPage(origin);
    await page.waitForFunction("globalThis.sdk");
    return page;
  }

  test("sends, receives and works at the hub that is mounted beside it, over a restart", async () => {
    const place = { port: await freePort(), db: join(tempDir(), "app.db") };
    const app = await startApp(place);
    const page = await open(app.origin);
    const complaints: string[] = [];
    page.on("pageerror", (error) => complaints.push(error.message));
    const state = await run(
      page,
      `globalThis.told = [];
      globalThis.hub = await sdk.connect({ url: location.origin + "${BASE_PATH}", as: "page", random: () => 0.02 });
      const { state } = hub;
      hub.on("new", ({ message }) => void told.push(message.task));
      hub.work(({ task }) => task.toUpperCase());
      return state;`,
    );
    expect(state).toBe("online");
    const ada = await connect(app.url, { as: "ada", random: () => 0.02, timeout_ms: 15_000 });
    const heard = new Heard(ada, "new");
    const done = async (task: string) => (await (await ada.send({ to_claude: "page", task })).result()).result;
    expect(await done("one")).toBe("ONE");
    await run(page, `await hub.chat("ada", "from the page");`);
    await heard.find(({ message }) => message.task === "from the page");

    await app.stop();
    const sent = page.evaluate(`hub.chat("ada", "said while it was away").then(() => "sent")`);
    await startApp(place);
    expect(await sent).toBe("sent");
    expect(await done("two")).toBe("TWO");
    await heard.find(({ message }) => message.task === "said while it was away");
    expect(await run(page, "return told;")).toEqual(["one", "from the page", "said while it was away", "two"]);
    await run(page, "await hub.close();");
    expect(complaints).toEqual([]);
  });

  test("of another origin is refused, however it asks, and changes nothing", async () => {
    const app = await startApp({ port: 0, db: join(tempDir(), "app.db") });
    const stranger = createServer(pages());
    const page = await open(await listen(stranger, 0));
    defer(() => stranger.close());
    const message = JSON.stringify({ from_claude: "page", to_claude: "ada", task: "forged" });
    const answers = await run(
      page,
      `const base = ${JSON.stringify(app.url)};
      const told = (promise) => promise.then(() => "let in", (error) => error.code ?? error.name);
      const socket = new Promise((resolve, reject) => {
        const ws = new WebSocket(base.replace("http", "ws") + "/ws", "coord.v1");
        ws.onopen = resolve;
        ws.onerror = () => reject({ code: "refused" });
      });
      const post = (options) => fetch(base + "/message", { method: "POST", body: ${JSON.stringify(message)}, ...options });
      return {
        sdk: await told(sdk.connect({ url: base, as: "page", timeout_ms: 2000 })),
        socket: await told(socket),
        read: await told(fetch(base + "/messages")),
        json: await told(post({ headers: { "content-type": "application/json" } })),
        blind: await told(post({ mode: "no-cors", headers: { "content-type": "text/plain" } })),
      };`,
    );
    // A blind request is answered with what its page cannot read; that it did nothing shows at the hub.
    expect(answers).toEqual({
      sdk: "hub_unreachable",
      socket: "refused",
      read: "TypeError",
      json: "TypeError",
      blind: "let in",
    });
    expect((await http(`${app.url}/messages`)).body.count).toBe(0);
    expect((await http(`${app.url}/presence`)).body.data.instances).toEqual([]);
  });
});
