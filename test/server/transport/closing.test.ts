/** The end of a hub, mounted or alone: nobody is kept waiting, by anybody. */
import { once } from "node:events";
import { Agent, createServer, type IncomingMessage, type RequestOptions, request } from "node:http";
import { text } from "node:stream/consumers";
import { describe, expect, test } from "vitest";
import { createHub } from "../../../server/index.ts";
import { ManualClock } from "../../support/clock.ts";
import { defer } from "../../support/defer.ts";
import { http } from "../../support/http.ts";
import { startHub } from "../../support/hub.ts";
import { freePort } from "../../support/ports.ts";
import { RawSocket } from "../../support/rawSocket.ts";
import { tempDir } from "../../support/tempDir.ts";
import { HeldStore } from "./heldStore.ts";
import { mount } from "./mount.ts";
import { dial, upgrade } from "./raw.ts";

const CHAT = { from_claude: "ada", to_claude: "bob", task: "hello", type: "chat" };
const STREAM = { accept: "text/event-stream" };

/** Where a hub is reached, and how it is closed. */
interface Place {
  port: number;
  url: string;
  wsUrl: string;
  close(): Promise<unknown>;
}

const WAYS: Record<string, () => Promise<Place>> = {
  "a mounted hub, with its server": async () => {
    const { server, port, origin, wsUrl } = await mount();
    const close = () => new Promise((resolve) => server.close(resolve));
    return { port, url: `${origin}/api/coord`, wsUrl, close };
  },
  "a hub that listens by itself": async () => {
    const { port, url, wsUrl, close } = await startHub();
    return { port, url, wsUrl, close };
  },
};

/** Opens a request without waiting for its end. */
async function open(url: string, options: RequestOptions = {}): Promise<IncomingMessage> {
  const asked = request(url, { agent: false, ...options }).end();
  defer(() => asked.destroy());
  return ((await once(asked, "response")) as [IncomingMessage])[0];
}

/** How long something takes, ms. */
async function timed(act: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await act();
  return performance.now() - started;
}

describe.each(Object.entries(WAYS))("%s", (_, start) => {
  test("answers whoever waits, ends streams and sockets, and is closed", async () => {
    const { port, url, wsUrl, close } = await start();
    const agent = new Agent({ keepAlive: true }); // its connections would stay
    defer(() => agent.destroy());
    const socket = await RawSocket.greet(wsUrl);
    const streamed = text(await open(`${url}/events`, { agent, headers: STREAM }));
    const poll = open(`${url}/events?wait_ms=50000`, { agent }).then(text);
    const presence = open(`${url}/presence?since=99999999999999&wait_ms=50000`, { agent }).then(text);
    const claim = http(`${url}/claim`, { method: "POST", body: { for_claude: "bob", wait_ms: 50_000 } });
    await http(`${url}/stats`); // by now all the others have been read
    const refused = await dial(port); // keeps its half of the connection
    refused.write(`${upgrade("/nowhere", "Host: localhost").join("\r\n")}\r\n\r\n`);
    await once(refused, "data");
    expect(await timed(close)).toBeLessThan(4_500);
    expect(await socket.closed).toMatchObject({ code: 1012 });
    expect(await streamed).toContain("event: events");
    expect(JSON.parse(await poll).data.events).toEqual([]);
    expect(JSON.parse(await presence).code).toBe("shutting_down");
    expect((await claim).body).toEqual({ success: true, data: null });
    await expect(http(url)).rejects.toThrow("ECONNREFUSED");
  });

  test("does not wait for a stream that nobody reads", async () => {
    const { url, wsUrl, close } = await start();
    const socket = await RawSocket.greet(wsUrl);
    const big = { ...CHAT, type: "chat", context: "x".repeat(1_000_000) } as const;
    for (let i = 0; i < 12; i++) await socket.call("send", big);
    const stalled = await open(`${url}/events?after=start`, { headers: STREAM });
    stalled.on("error", () => {});
    await http(`${url}/stats`);
    expect(await timed(close)).toBeLessThan(4_500);
  });
});

test("a hub that listens by itself does not wait for connections on which nothing is said", async () => {
  const hub = await startHub();
  const [, unfinished] = [await dial(hub.port), await dial(hub.port)];
  unfinished.write("GET /api/coord/stats HTTP/1.1\r\nHost: local");
  expect(await timed(hub.close)).toBeLessThan(4_500);
});

test("a stream that has ended is not written to when a last commit comes through", async () => {
  const store = new HeldStore();
  const crashes: Error[] = [];
  const note = (error: Error) => void crashes.push(error);
  process.on("uncaughtExceptionMonitor", note);
  const hub = await startHub({ store });
  const streamed = text(await open(`${hub.url}/events`, { headers: STREAM }));
  const release = store.hold();
  const sent = http(`${hub.url}/message`, { method: "POST", body: CHAT });
  await http(`${hub.url}/stats`); // the send has been read by now
  const closed = hub.close();
  release(); // in the turn in which the stream was ended
  expect((await sent).status).toBe(201);
  await Promise.all([closed, streamed]);
  process.off("uncaughtExceptionMonitor", note);
  expect(crashes).toEqual([]);
});

test("a hub that cannot start leaves no timer behind", async () => {
  const [store, clock] = [new HeldStore(), new ManualClock()];
  const first = await startHub({ store, clock });
  await http(`${first.url}/message`, { method: "POST", body: { ...CHAT, expires_at: "2030-01-01T00:00:00Z" } });
  await first.close();
  const before = clock.armed;
  store.timetable = () => Promise.reject(new Error("the disk is away"));
  await expect(createHub({ store, clock })).rejects.toThrow("the disk is away");
  expect(clock.armed).toBe(before);
});

describe("a hub that cannot listen", () => {
  test("because the port is in use says so, and can be closed", async () => {
    const first = await startHub();
    const second = await createHub({ db: `${tempDir()}/hub.db` });
    await expect(second.listen({ host: "127.0.0.1", port: first.port })).rejects.toThrow(
      `port ${first.port} on 127.0.0.1 is in use: stop what is using it, or choose another with --port`,
    );
    await second.close();
  });

  test("because the address is not the machine's says so, and can be closed", async () => {
    const hub = await createHub({ db: `${tempDir()}/hub.db` });
    await expect(hub.listen({ host: "203.0.113.1", port: 0 })).rejects.toThrow(/^cannot listen on 203\.0\.113\.1:0: /);
    await hub.close();
  });
});

describe("a hub that is closed", () => {
  const closed = "this hub is closed: make another one with createHub";

  test("neither listens nor attaches, and says so", async () => {
    const hub = await createHub({ db: `${tempDir()}/hub.db` });
    await hub.close();
    await expect(hub.listen({ host: "127.0.0.1", port: 0 })).rejects.toThrow(closed);
    expect(() => hub.attach(createServer())).toThrow(closed);
  });

  test("while it begins to listen leaves no server open", async () => {
    const hub = await createHub({ db: `${tempDir()}/hub.db` });
    const port = await freePort();
    const listening = hub.listen({ host: "127.0.0.1", port });
    await Promise.all([hub.close(), expect(listening).rejects.toThrow(closed)]);
    await startHub({ port });
  });
});
