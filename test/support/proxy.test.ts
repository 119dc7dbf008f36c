import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { buffer } from "node:stream/consumers";
import { setImmediate } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { defer } from "./defer.ts";
import { FaultProxy } from "./proxy.ts";
import { seededRandom } from "./random.ts";

const nextTick = () => new Promise<void>(process.nextTick);

/** A server that sends everything back, and its connections. */
async function echo() {
  const sockets: Socket[] = [];
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.push(socket);
    socket.on("error", () => undefined).pipe(socket);
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  defer(() => server.close());
  return { port: (server.address() as AddressInfo).port, sockets };
}

function dial(port: number): Socket {
  const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true }).on("error", () => undefined);
  defer(() => socket.destroy());
  return socket;
}

const gone = (socket: Socket) => new Promise((resolve) => socket.on("close", resolve));

test("passes bytes and half-closes unchanged, whole or in slices", async () => {
  const proxy = await FaultProxy.start(await echo());
  const sent = Buffer.alloc(300_000, "abcdefg");
  for (const sliceBytes of [undefined, 1_000]) {
    proxy.faults.sliceBytes = sliceBytes;
    const client = dial(proxy.port);
    client.end(sent);
    expect(sent.equals(await buffer(client))).toBe(true);
  }
});

test("slices arrive apart", async () => {
  const proxy = await FaultProxy.start(await echo());
  proxy.faults.sliceBytes = 2;
  const client = dial(proxy.port);
  const chunks: Buffer[] = [];
  client.on("data", (chunk) => chunks.push(chunk));
  client.end("123456".repeat(100));
  await once(client, "end");
  expect(chunks.length).toBeGreaterThan(20); // the system may still join a few
});

test("cuts one, then all", async () => {
  const proxy = await FaultProxy.start(await echo());
  const clients = [dial(proxy.port), dial(proxy.port), dial(proxy.port)];
  for (const client of clients) {
    client.write("x");
    await once(client, "data");
  }
  const [first, ...rest] = clients.map(gone);
  expect(proxy.cutOne()).toBe(true);
  await first;
  expect(proxy.open).toBe(2);
  proxy.cut();
  await Promise.all(rest);
  expect(proxy.open).toBe(0);
  expect(proxy.cutOne()).toBe(false);
});

test("cuts after a random number of bytes", async () => {
  const { port } = await echo();
  const received = async () => {
    const proxy = await FaultProxy.start({ port }, seededRandom(7));
    proxy.faults.cutWithinBytes = 100_000;
    const client = dial(proxy.port);
    client.write(Buffer.alloc(200_000));
    let bytes = 0;
    client.on("data", (chunk) => {
      bytes += chunk.length;
    });
    await gone(client);
    return bytes;
  };
  const bytes = await received();
  expect(bytes).toBeLessThan(100_000);
});

describe("a black hole", () => {
  async function throughHole() {
    const hub = await echo();
    const proxy = await FaultProxy.start(hub);
    const client = dial(proxy.port);
    client.write("before");
    await once(client, "data");
    const [hubSide] = hub.sockets;
    proxy.blackHole();
    return { hub, proxy, client, hubSide: hubSide as Socket };
  }

  /** Long enough for anything to pass that passes at all: a hundred trips to the same hub beside the proxy. */
  async function aWhile(port: number) {
    for (let i = 0; i < 100; i++) {
      const direct = dial(port);
      direct.end("x");
      await buffer(direct);
    }
  }

  test("holds bytes back, and gives them up again", async () => {
    const { hub, proxy, client, hubSide } = await throughHole();
    client.write("held");
    await aWhile(hub.port);
    expect(hubSide.bytesRead).toBe("before".length);
    proxy.resume();
    expect(String((await once(client, "data"))[0])).toBe("held");
  });

  test("holds back the news that a side has closed", async () => {
    const { hub, proxy, client, hubSide } = await throughHole();
    client.end();
    await aWhile(hub.port);
    expect(hubSide.readableEnded).toBe(false);
    proxy.resume();
    await once(client.resume(), "end");
  });

  test("is left and cut in one turn: nothing stays open", async () => {
    const { hub, proxy, client, hubSide } = await throughHole();
    client.end();
    await aWhile(hub.port);
    proxy.resume();
    await nextTick(); // the end is being passed on
    proxy.cut();
    await gone(hubSide);
  });

  test("holds back a reset", async () => {
    const { hub, proxy, client, hubSide } = await throughHole();
    hubSide.resetAndDestroy();
    await aWhile(hub.port);
    expect(client.destroyed).toBe(false);
    proxy.resume();
    await gone(client);
  });

  test("takes new connections, and lets go of them when it is cut", async () => {
    const { proxy } = await throughHole();
    const late = dial(proxy.port);
    while (proxy.open < 2) await setImmediate();
    proxy.cut();
    await gone(late);
  });
});

test("refuses connections", async () => {
  const proxy = await FaultProxy.start(await echo());
  proxy.faults.refuse = "connections";
  await gone(dial(proxy.port));
  expect(proxy.accepted).toBe(1);
});

test("refuses upgrades and lets other requests pass", async () => {
  const proxy = await FaultProxy.start(await echo());
  proxy.faults.refuse = "upgrades";
  const plain = dial(proxy.port);
  plain.end("GET / HTTP/1.1\r\nhost: a\r\n\r\nbody");
  expect(String(await buffer(plain))).toBe("GET / HTTP/1.1\r\nhost: a\r\n\r\nbody");
  const socket = dial(proxy.port);
  socket.write("GET /ws HTTP/1.1\r\nhost: a\r\nUpg");
  socket.end("rade: websocket\r\n\r\n");
  expect(String(await buffer(socket))).toMatch(/^HTTP\/1\.1 403 /);
});

test("delays", async () => {
  const proxy = await FaultProxy.start(await echo());
  proxy.faults.delayMs = 60;
  const client = dial(proxy.port);
  const start = performance.now();
  client.end("x");
  await buffer(client);
  expect(performance.now() - start).toBeGreaterThan(115);
});
