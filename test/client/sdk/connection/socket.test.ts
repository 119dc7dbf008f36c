/** Each defect of reconnecting-websocket 4.4.0 that `transports/socket.ts` has a remedy for. */
import { once } from "node:events";
import { type AddressInfo, createServer, type Server } from "node:net";
import { setImmediate } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { type WebSocket, WebSocketServer } from "ws";
import { systemClock } from "../../../../client/sdk/clock.ts";
import { Gate } from "../../../../client/sdk/connection/transports/gate.ts";
import { SocketTransport } from "../../../../client/sdk/connection/transports/socket.ts";
import type { LineClose } from "../../../../client/sdk/connection/transports/transport.ts";
import { connect, HubRefused } from "../../../../client/sdk/index.ts";
import { CLOSE, LIMITS, LIVENESS } from "../../../../shared/index.ts";
import { ManualClock } from "../../../support/clock.ts";
import { defer } from "../../../support/defer.ts";
import { freePort } from "../../../support/ports.ts";

const HELLO = { client: { name: "test", version: "0" } };

/** A line of the transport, with what it told. */
class Line {
  readonly told: string[] = [];
  readonly losses: LineClose[] = [];
  readonly transport: SocketTransport;
  #look = () => {};

  constructor(
    url: string,
    { clock = systemClock, handshakeMs }: { clock?: ManualClock | typeof systemClock; handshakeMs?: number } = {},
  ) {
    const tell = (what: string) => {
      this.told.push(what);
      this.#look();
    };
    const ignored = () => {};
    this.transport = new SocketTransport(
      url,
      clock,
      {
        opened: () => tell("opened"),
        welcomed: () => tell("welcomed"),
        refused: () => tell("refused"),
        lost: (why) => {
          this.losses.push(why);
          tell("lost");
        },
        subscribed: ignored,
        answered: ignored,
        failed: ignored,
        page: ignored,
        presence: ignored,
        presenceChanged: ignored,
        closing: ignored,
      },
      handshakeMs,
    );
    defer(() => this.transport.close(CLOSE.goodbye));
  }

  /** Tries once. @returns what came of it. */
  async attempt(): Promise<string> {
    const before = this.told.length;
    this.transport.attempt();
    return (await this.next(before)) as string;
  }

  async next(before = this.told.length): Promise<string | undefined> {
    while (this.told.length <= before) await new Promise<void>((resolve) => (this.#look = resolve));
    return this.told[before];
  }
}

/** Servers that stand for hubs which do what a real one would not do on demand. */
async function listen(port = 0): Promise<{ url: string; sockets: WebSocketServer }> {
  const sockets = new WebSocketServer({ port, host: "127.0.0.1" });
  await once(sockets, "listening");
  defer(() => {
    for (const socket of sockets.clients) socket.terminate();
    sockets.close();
  });
  return { url: `ws://127.0.0.1:${(sockets.address() as AddressInfo).port}`, sockets };
}

async function listenTcp(server: Server): Promise<string> {
  await once(server.listen(0, "127.0.0.1"), "listening");
  return `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

it("survives an upgrade that is never answered, and tells the true close code", async () => {
  const server = createServer((socket) => {
    socket.on("error", () => {});
    defer(() => socket.destroy());
  });
  defer(() => server.close());
  const line = new Line(await listenTcp(server), { handshakeMs: 50 });
  expect(await line.attempt()).toBe("lost");
  expect(line.losses).toEqual([{ code: 1006, reason: expect.stringMatching(/timed out|closed before/) }]);
});

it("tells that a connection was refused as 1006, which the library tells as a clean 1000", async () => {
  const line = new Line(`ws://127.0.0.1:${await freePort()}`);
  expect(await line.attempt()).toBe("lost");
  expect(line.losses).toMatchObject([{ code: 1006, reason: expect.stringContaining("ECONNREFUSED") }]);
});

it("offers no compression, which costs each line memory", async () => {
  const { url, sockets } = await listen();
  const upgraded = once(sockets, "connection");
  expect(await new Line(url).attempt()).toBe("opened");
  const [, { headers }] = await upgraded;
  expect(headers).not.toHaveProperty("sec-websocket-extensions");
});

it("ends the line at the head of a frame that is larger than any of a hub", async () => {
  const { url, sockets } = await listen();
  const upgraded = once(sockets, "connection");
  const line = new Line(url);
  expect(await line.attempt()).toBe("opened");
  const [, { socket }] = await upgraded;
  const head = Buffer.from([0x81, 127, 0, 0, 0, 0, 0, 0, 0, 0]); // a text; its length follows
  head.writeBigUInt64BE(BigInt(16 * LIMITS.frame_bytes + 1), 2);
  socket.write(head);
  expect(await line.next()).toBe("lost");
  expect(line.losses).toMatchObject([{ code: 1006 }]);
});

it("never tries by itself: not after a refusal, not after a loss", async () => {
  let upgrades = 0;
  const server = createServer((socket) => {
    upgrades++;
    socket
      .on("error", () => {})
      .resume()
      .end("HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n");
  });
  defer(() => server.close());
  const line = new Line(await listenTcp(server));
  expect(await line.attempt()).toBe("lost");
  for (let turn = 0; turn < 100; turn++) await setImmediate();
  expect(upgrades).toBe(1);
  expect(await line.attempt()).toBe("lost");
  expect(upgrades).toBe(2);
  expect(line.losses[1]?.reason).toBe("Unexpected server response: 401");
});

it("goes on trying however often it failed", async () => {
  const port = await freePort();
  const line = new Line(`ws://127.0.0.1:${port}`);
  for (let i = 0; i < 30; i++) expect(await line.attempt()).toBe("lost");
  await listen(port);
  expect(await line.attempt()).toBe("opened");
});

it("opens again after it was closed before it opened", async () => {
  const { url } = await listen();
  const line = new Line(url);
  line.transport.attempt();
  await line.transport.close(CLOSE.reopened);
  expect(await line.attempt()).toBe("opened");
  line.transport.attempt();
  await line.transport.close(CLOSE.reopened);
  expect(await line.attempt()).toBe("opened");
  expect(line.told).toEqual(["opened", "opened"]);
});

it("sends nothing before the hello that was not sent after it opened", async () => {
  const { url, sockets } = await listen();
  const frames: string[] = [];
  sockets.on("connection", (socket) => socket.on("message", (data) => frames.push(String(data))));
  const line = new Line(url);
  line.transport.send([{ id: 1, operation: "stats", params: {} }], undefined);
  line.transport.attempt();
  line.transport.send([{ id: 2, operation: "stats", params: {} }], undefined);
  await line.next(0);
  line.transport.greet(HELLO);
  const [socket] = sockets.clients as Set<WebSocket>;
  await once(socket as WebSocket, "message");
  expect(frames.map((frame) => JSON.parse(frame).method)).toEqual(["hello"]);
});

it("gives up a line on which nothing comes, with the code that says so", async () => {
  const clock = new ManualClock();
  const { url, sockets } = await listen();
  sockets.on("connection", (socket) => {
    socket.on("message", () => socket.send(`{"id":0,"result":{"heartbeat_ms":${LIVENESS.ping_ms},"limits":{}}}`));
  });
  const line = new Line(url, { clock });
  await line.attempt();
  line.transport.greet(HELLO);
  await line.next(1);
  clock.advance(LIVENESS.ping_ms + LIVENESS.pong_ms - 1);
  expect(line.told).toEqual(["opened", "welcomed"]);
  clock.advance(1);
  expect(line.losses).toEqual([CLOSE.hubSilent]);
});

it("waits no longer for the answer to hello than for anything else", async () => {
  const clock = new ManualClock();
  const line = new Line((await listen()).url, { clock });
  await line.attempt();
  line.transport.greet(HELLO);
  clock.advance(LIVENESS.hello_ms);
  expect(line.told).toEqual(["opened", "lost"]);
});

it("tells nothing of a line that it closed itself, nor of one that cannot be read more than that", async () => {
  const { url, sockets } = await listen();
  const line = new Line(url);
  await line.attempt();
  await line.transport.close(CLOSE.reopened);
  expect(line.told).toEqual(["opened"]);
  await line.attempt();
  for (const socket of sockets.clients) socket.send("<html>");
  await line.next();
  expect(line.losses).toEqual([{ code: CLOSE.reopened.code, reason: "unreadable frame" }]);
});

it("says when the other side does not read", async () => {
  const { url, sockets } = await listen();
  const line = new Line(url);
  await line.attempt();
  for (const socket of sockets.clients) socket.pause();
  const request = { id: 1, operation: "send", params: { task: "x".repeat(LIMITS.frame_bytes / 4) } } as const;
  for (let i = 0; i < 24 && !line.transport.congested; i++) line.transport.send([request], undefined);
  expect(line.transport.congested).toBe(true);
});

describe("a client whom the hub refuses for good", () => {
  it("is told why, and does not come back", async () => {
    let connections = 0;
    const { url, sockets } = await listen();
    sockets.on("connection", (socket) => {
      connections++;
      socket.on("message", () => socket.close(CLOSE.badToken.code, CLOSE.badToken.reason));
    });
    const base = url.replace("ws", "http");
    const refusal = connect({ url: base, token: "wrong", transport: "websocket", random: () => 0 });
    await expect(refusal).rejects.toBeInstanceOf(HubRefused);
    await expect(refusal).rejects.toMatchObject({ close_code: CLOSE.badToken.code, retryable: false });
    for (let turn = 0; turn < 100; turn++) await setImmediate();
    expect(connections).toBe(1);
  });
});

it("a page that does not begin where the last one ended is not applied: it is asked for again", async () => {
  const { url, sockets } = await listen();
  const resumes: (string | undefined)[] = [];
  const welcome = {
    cursor: "000000000001.5",
    resumed: true,
    heartbeat_ms: 25_000,
    window: { events: 9, bytes: 9 },
    limits: {},
  };
  const gap = {
    after: "000000000001.6",
    cursor: "000000000001.7",
    events: [{ kind: "new", seq: 7, message: { id: "m" } }],
  };
  sockets.on("connection", (socket) => {
    socket.on("message", (data) => {
      const { id, method, params } = JSON.parse(String(data));
      if (method === "subscribe") socket.send(JSON.stringify({ method: "events", params: gap }));
      if (method !== "hello") return;
      resumes.push(params.resume);
      socket.send(JSON.stringify({ id, result: welcome }));
    });
  });
  const hub = await connect({ url: url.replace("ws", "http"), transport: "websocket", random: () => 0 });
  defer(() => hub.close());
  const told: unknown[] = [];
  const again = new Promise<void>((resolve) => {
    hub.on("state", ({ state }) => state === "online" && resumes.length === 2 && resolve());
  });
  hub.on("event", (event) => told.push(event));
  await again;
  expect(told).toEqual([]);
  expect(resumes).toEqual([undefined, welcome.cursor]);
});

it("a hub is asked for what is listened to, and from the first message that is sent for ends", async () => {
  const { url, sockets } = await listen();
  const asked: unknown[] = [];
  const cursor = "000000000001.5";
  const results: Record<string, object> = {
    hello: { cursor, resumed: false, heartbeat_ms: 25_000, window: { events: 9, bytes: 9 }, limits: {} },
    subscribe: { cursor },
    list: { messages: [], cursor },
  };
  sockets.on("connection", (socket) => {
    socket.on("message", (data) => {
      for (const { id, method, params } of [JSON.parse(String(data))].flat()) {
        const { kinds } = params;
        if (method !== "list") asked.push(method === "stats" || method === "send" ? method : [method, kinds]);
        socket.send(JSON.stringify({ id, result: results[method] ?? { message: { id: "m", status: "complete" } } }));
      }
    });
  });
  const hub = await connect({ url: url.replace("ws", "http"), transport: "websocket", as: "ada" });
  defer(() => hub.close());
  hub.on("new", () => {});
  const off = hub.on("late", () => {});
  await hub.stats();
  await (await hub.send({ to_claude: "bob", task: "t" })).result();
  off();
  await hub.send({ to_claude: "bob", task: "t" });
  const ends = ["completed", "failed", "cancelled", "deleted"];
  expect(asked).toEqual([
    ["hello", ends],
    ["subscribe", ["new", "late"]],
    "stats",
    ["subscribe", ["new", ...ends, "late"]],
    "send",
    ["subscribe", ["new", ...ends]],
    "send",
  ]);
});

it("a gate lets one through for each time it is opened", async () => {
  const gate = new Gate();
  const passed: number[] = [];
  const pass = (who: number) => gate.pass().then(() => passed.push(who));
  gate.open();
  await pass(1);
  const second = pass(2);
  await setImmediate();
  expect(passed).toEqual([1]);
  gate.open();
  await second;
  expect(passed).toEqual([1, 2]);
});
