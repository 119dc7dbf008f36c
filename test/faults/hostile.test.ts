/**
 * Peers that mean harm, or are broken in a way that looks like it: each costs the hub a bounded amount of memory (I9) and
 * is sent away where the protocol says so, and the hub goes on serving everybody else meanwhile.
 */
import { once } from "node:events";
import { type Socket, connect as tcpConnect } from "node:net";
import { afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { LIMITS } from "../../shared/limits.ts";
import { residentBytes } from "../bench/os/proc.ts";
import { crowd } from "../support/crowd.ts";
import { defer } from "../support/defer.ts";
import { http } from "../support/http.ts";
import { HubProcess } from "../support/processes.ts";
import { RawSocket } from "../support/rawSocket.ts";
import { eventually } from "./support/eventually.ts";
import { type Bug, DATABASE_THREAD, plant } from "./support/plant.ts";

const MIB = 2 ** 20;
/** V8 may keep so much garbage in each of the hub's two threads, and not more: what stays in use beyond it shows. */
const ENV = { NODE_OPTIONS: "--max-old-space-size=256" };

/** Every commit takes 50 ms more. */
const SLOW_DISK: Bug = {
  file: DATABASE_THREAD,
  replace: [
    ["open.commit.run();", "open.commit.run(); Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50);"],
  ],
};

/** As large a text as is taken. */
const CONTEXT = "x".repeat(MIB - 1);

let hub: HubProcess;
/** Somebody who has nothing to do with it. */
let bystander: RawSocket;
/** What becomes of a socket that never says a word, opened before everything else. */
let silence: Promise<{ code: number; after: number }>;

async function startWatched(): Promise<[HubProcess, RawSocket]> {
  const hub = await HubProcess.start({ env: ENV, args: ["--log-level", "error"] });
  return [hub, await RawSocket.greet(hub.wsUrl, { claude_id: "bystander" })];
}

beforeAll(async () => {
  [hub, bystander] = await startWatched();
  const silent = await RawSocket.open(hub.wsUrl);
  const since = performance.now();
  silence = silent.closed.then(({ code }) => ({ code, after: performance.now() - since }));
});

/** Others have a message committed and pushed, over both transports, while nothing of what stands in the way is ever taken. */
async function serves(): Promise<void> {
  const body = { from_claude: "x", to_claude: "bystander", task: "still there?", type: "chat" };
  const sent = await http(`${hub.url}/message`, { method: "POST", body });
  await bystander.event("new", sent.body.data.id);
}

afterEach(serves);

async function tcp(): Promise<Socket> {
  const socket = tcpConnect(hub.port, "127.0.0.1").on("error", () => {});
  defer(() => socket.destroy());
  await once(socket, "connect");
  return socket;
}

/** The most memory that the hub takes while something goes on, beyond what it has now. */
async function growth(act: () => Promise<unknown>): Promise<number> {
  const before = residentBytes(hub.pid);
  let most = before;
  const timer = setInterval(() => {
    most = Math.max(most, residentBytes(hub.pid));
  }, 20);
  await act().finally(() => clearInterval(timer));
  return most - before;
}

describe("frames that break the rules close their socket, with the code that says why:", () => {
  test("5 MiB in one frame", async () => {
    const socket = await RawSocket.greet(hub.wsUrl);
    const grown = await growth(async () => {
      socket.sendText("x".repeat(5 * MIB));
      expect(await socket.closed).toMatchObject({ code: 1009 });
    });
    expect(grown).toBeLessThan(32 * MIB);
  });

  test("5 MiB in fragments", async () => {
    const socket = await RawSocket.greet(hub.wsUrl);
    socket.sendFragments(Array.from({ length: 50 }, () => "x".repeat(MIB / 10)));
    expect(await socket.closed).toMatchObject({ code: 1009 });
  });

  test("thousands of tiny fragments, on many sockets", async () => {
    const sockets = await Promise.all(Array.from({ length: 20 }, () => RawSocket.greet(hub.wsUrl)));
    const grown = await growth(async () => {
      for (const socket of sockets) socket.sendFragments(Array.from({ length: 4_000 }, () => "x"));
      for (const socket of sockets) expect(await socket.closed).toMatchObject({ code: 1008 });
    });
    expect(grown).toBeLessThan(64 * MIB);
  });

  test("a text that is not UTF-8", async () => {
    const socket = await RawSocket.greet(hub.wsUrl);
    socket.ws.send(Buffer.from([0x22, 0xc3, 0x28, 0x22]), { binary: false });
    expect(await socket.closed).toMatchObject({ code: 1007 });
  });

  test("a frame that was not masked", async () => {
    const socket = await tcp();
    const key = "dGhlIHNhbXBsZSBub25jZQ==";
    socket.write(
      `GET /api/coord/ws HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
        `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}\r\n\r\n`,
    );
    await once(socket, "data");
    socket.write(Buffer.from([0x81, 0x02, 0x7b, 0x7d]));
    const [close] = (await once(socket, "data")) as [Buffer];
    expect(close.readUInt16BE(2)).toBe(1002);
  });
});

describe("connections that do nothing", () => {
  test("2,000 of them", async () => {
    const grown = await growth(async () => {
      await Promise.all(Array.from({ length: 2_000 }, tcp));
      await serves();
    });
    expect(grown).toBeLessThan(64 * MIB);
  });

  test("200 that send their headers a letter at a time", async () => {
    const sockets = await Promise.all(Array.from({ length: 200 }, tcp));
    for (const letter of "GET /api/coord/stats HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ") {
      for (const socket of sockets) socket.write(letter);
      await serves();
    }
  });
});

describe("more than the hub can hold:", () => {
  let id: string;
  /** The cursor before everything. */
  let start: string;

  beforeEach(async () => {
    const others = [hub, bystander] as const;
    defer(() => {
      [hub, bystander] = others;
    });
    [hub, bystander] = await startWatched();
    const said = { to_claude: "b", type: "chat" as const, task: "large", context: CONTEXT };
    id = (await bystander.call("send", said)).message.id;
    start = (await http(`${hub.url}/events?after=start&limit=1`)).body.data.after;
  });

  /** Asks and never reads. @returns how much the hub grew meanwhile. */
  async function flood(method: string, params: object): Promise<number> {
    const socket = await RawSocket.greet(hub.wsUrl, { claude_id: "flood" });
    socket.pause();
    const requests = Array.from({ length: 1024 }, (_, i) => ({ jsonrpc: "2.0", id: i, method, params }));
    const grown = await growth(async () => {
      for (let frame = 0; frame < 3; frame++) socket.send(requests);
      for (let i = 0; i < 10; i++) await serves();
    });
    socket.ws.terminate();
    return grown;
  }

  test.each([
    ["answers of a large message that nobody reads", "get", () => ({ id }), 96],
    ["lists that nobody reads", "list", () => ({ limit: 500 }), 96],
    ["pages of the log that nobody reads", "events", () => ({ after: start, wait_ms: 1 }), 128],
    ["outcomes that nobody reads", "update", () => ({ id, status: "in_progress" }), 256],
    ["short answers that nobody reads", "stats", () => ({}), 64],
    ["errors that nobody reads", "nonsense", () => ({}), 64],
  ] as const)("%s", async (_, method, params, mib) => {
    expect(await flood(method, params())).toBeLessThan(mib * MIB);
  });

  test("pages of what was sent just now that nobody reads", async () => {
    const { cursor } = await bystander.call("info", {});
    const said = { to_claude: "b", type: "chat" as const, task: "x".repeat(1_800) };
    for (let i = 0; i < 10; i++) await Promise.all(Array.from({ length: 50 }, () => bystander.call("send", said)));
    expect(await flood("events", { after: cursor, for: "b" })).toBeLessThan(128 * MIB);
  });

  test("pages of who is there that nobody reads", async () => {
    await crowd(hub.url, 2_000);
    expect(await flood("presence", {})).toBeLessThan(96 * MIB);
  });

  test("pongs that nobody reads", async () => {
    const socket = await RawSocket.greet(hub.wsUrl);
    socket.pause();
    const payload = "x".repeat(125);
    const grown = await growth(async () => {
      for (let i = 0; i < 300_000; i++) socket.ws.ping(payload);
      await eventually("the hub has taken them", () => socket.ws.bufferedAmount === 0);
    });
    expect(grown).toBeLessThan(32 * MIB);
  });

  test("answers over HTTP, asked for all at once", async () => {
    const socket = (await tcp()).pause();
    const asked = `GET /api/coord/message/${id} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`;
    const grown = await growth(async () => {
      socket.write(asked.repeat(2_000));
      for (let i = 0; i < 10; i++) await serves();
    });
    expect(grown).toBeLessThan(64 * MIB);
  });
});

test.each([
  ["are refused", "/api/coord/stats", "evil.example"],
  ["no path takes", "/nowhere", "127.0.0.1"],
  ["ask whether it lives", "/healthz", "127.0.0.1"],
])("a connection that asks for thousands at once that %s is given up", async (_, path, host) => {
  const socket = await tcp();
  let answers = 0;
  socket.on("data", (data) => {
    answers += `${data}`.split("HTTP/1.1 ").length - 1;
  });
  const closed = new Promise((resolve) => socket.once("close", resolve));
  socket.write(`GET ${path} HTTP/1.1\r\nHost: ${host}\r\n\r\n`.repeat(2_000));
  await closed;
  expect(answers).toBeLessThan(100);
});

test("more than the hub can hold: bodies, sent faster than they can be stored", async () => {
  const slow = await HubProcess.start({ env: plant(SLOW_DISK) });
  const socket = await RawSocket.greet(slow.wsUrl, { claude_id: "flood" });
  const COUNT = 48;
  for (let id = 0; id < COUNT; id++) {
    const params = { to_claude: "c", type: "chat", task: `${id}`, context: CONTEXT };
    socket.send({ jsonrpc: "2.0", id, method: "send", params });
  }
  let most = 0;
  const answered = () => socket.received.filter((one) => one.id !== undefined).length - 1;
  const look = setInterval(() => {
    most = Math.max(most, COUNT - socket.ws.bufferedAmount / MIB - answered());
  }, 5);
  for (let id = 0; id < COUNT; id++) expect((await socket.answer(id)).error).toBe(undefined);
  clearInterval(look);
  expect(most).toBeLessThan(32);
});

test("a hub that is told to end while mistakes pour in ends with 0", async () => {
  const flooded = await HubProcess.start({ args: ["--log-level", "error"] });
  const mistakes = `[${Array.from({ length: LIMITS.batch_requests }, () => 1)}]`;
  for (let i = 0; i < 8; i++) {
    const socket = await RawSocket.greet(flooded.wsUrl);
    const pour = () => {
      while (socket.ws.readyState === socket.ws.OPEN && socket.ws.bufferedAmount < MIB) socket.sendText(mistakes);
    };
    pour();
    socket.ws.on("message", pour);
  }
  expect(await flooded.stop()).toMatchObject({ code: 0 });
});

test("a socket without a hello is closed after 10 s, and not before", async () => {
  const { code, after } = await silence;
  expect(code).toBe(4000);
  expect(after).toBeGreaterThan(9_000);
});
