/** Sockets in time: silence, signs of life, too much at once, and the end. */
import { once } from "node:events";
import { setTimeout } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { CLOSE } from "../../../../shared/closeCodes.ts";
import { LIVENESS } from "../../../../shared/defaults.ts";
import { SUBPROTOCOL } from "../../../../shared/frames.ts";
import { LIMITS } from "../../../../shared/limits.ts";
import { ManualClock } from "../../../support/clock.ts";
import { defer } from "../../../support/defer.ts";
import { startHub } from "../../../support/hub.ts";
import { RawSocket } from "../../../support/rawSocket.ts";
import { pass } from "../pass.ts";
import { dial } from "../raw.ts";
import { CHAT, CLIENT, refusal, rpc } from "./rpc.ts";

test("hello is waited for, but not for ever", async () => {
  const clock = new ManualClock();
  const hub = await startHub({ clock });
  const [mute, polite] = [await RawSocket.open(hub.wsUrl), await RawSocket.greet(hub.wsUrl)];
  clock.advance(LIVENESS.hello_ms - 1);
  mute.send(rpc("stats", {}, "1")); // any other word does not count
  await mute.answer("1");
  clock.advance(1_001);
  expect(await mute.closed).toEqual({ code: CLOSE.noHello.code, reason: CLOSE.noHello.reason });
  await polite.call("stats", {});
});

describe("too many requests at once", () => {
  test("are refused until earlier ones are answered", async () => {
    const clock = new ManualClock();
    const hub = await startHub({ clock });
    const socket = await RawSocket.greet(hub.wsUrl, { claude_id: "bob" });
    const waiting = (from: number) =>
      Array.from({ length: LIMITS.batch_requests }, (_, i) => rpc("claim_next", { wait_ms: 1_000 }, from + i));
    for (let id = 1_000_000; id < 1_000_000 + LIMITS.requests_in_flight; id += LIMITS.batch_requests) {
      socket.send(waiting(id));
    }
    socket.send(rpc("stats", {}, "too many"));
    expect(await socket.answer("too many")).toEqual(refusal("too many", "too_many_requests"));
    const other = await RawSocket.greet(hub.wsUrl);
    await other.call("stats", {});
    while (socket.received.length < LIMITS.requests_in_flight) {
      clock.advance(1_000);
      await setTimeout(5);
    }
    await socket.call("stats", {});
  });
});

describe("a line", () => {
  test("is asked for a sign of life, with a page that says where the log is", async () => {
    const clock = new ManualClock();
    const hub = await startHub({ clock });
    const socket = await RawSocket.greet(hub.wsUrl, { claude_id: "bob" });
    let pings = 0;
    socket.ws.on("ping", () => pings++);
    await socket.call("send", { to_claude: "cyd", from_claude: "ada", task: "not for bob" });
    await pass(clock, LIVENESS.ping_ms + 1_000);
    const { cursor } = await socket.call("info", {});
    expect(socket.pages).toEqual([{ after: socket.welcome.cursor, cursor, events: [] }]);
    expect(pings).toBe(1);
    await pass(clock, 10 * LIVENESS.ping_ms);
    expect(pings).toBeGreaterThan(8);
    expect(socket.ws.readyState).toBe(WebSocket.OPEN);
  });

  test.each([LIVENESS.ping_ms, 1_000])("on which nothing comes back is cut, asked every %i ms", async (pingMs) => {
    const clock = new ManualClock();
    const hub = await startHub({ clock, liveness: { pingMs } });
    const [silent, alive] = [await RawSocket.greet(hub.wsUrl), await RawSocket.greet(hub.wsUrl)];
    silent.pause(); // as if the line were dead: no ping arrives, no pong goes back
    await pass(clock, pingMs + LIVENESS.pong_ms - 1_000);
    expect((await alive.call("info", {})).name).toBe("coordination-hub");
    await pass(clock, 3_000);
    silent.resume();
    expect([CLOSE.silent.code, 1006]).toContain((await silent.closed).code);
    await alive.call("stats", {});
  });

  test("lives as long as anything comes over it, even without a pong", async () => {
    const clock = new ManualClock();
    const hub = await startHub({ clock });
    const ws = new WebSocket(hub.wsUrl, SUBPROTOCOL, { autoPong: false });
    defer(() => ws.terminate());
    await once(ws, "open");
    ws.send(JSON.stringify(rpc("hello", { client: CLIENT }, "0")));
    for (let i = 0; i < 10; i++) {
      ws.send(JSON.stringify(rpc("stats", {}, i)));
      await pass(clock, 8_000);
    }
    expect(ws.readyState).toBe(WebSocket.OPEN);
    const closed = once(ws, "close");
    await pass(clock, LIVENESS.ping_ms + LIVENESS.pong_ms + 1_000);
    expect((await closed)[0]).toBe(CLOSE.silent.code);
  });
});

describe("a hub that closes", () => {
  test("tells every client to come back, and when; no request is taken any more", async () => {
    const hub = await startHub();
    const sockets = [await RawSocket.greet(hub.wsUrl), await RawSocket.open(hub.wsUrl)];
    const closed = hub.close();
    sockets[0]?.send(rpc("send", CHAT, "late"));
    for (const socket of sockets) {
      expect(await socket.closed).toEqual({ code: CLOSE.restarting.code, reason: CLOSE.restarting.reason });
      const { code, reason } = CLOSE.restarting;
      expect(socket.notifications("closing")).toEqual([{ code, reason, reconnect_within_ms: 5_000 }]);
    }
    await closed;
    const again = await startHub({ db: hub.db });
    expect(await (await RawSocket.greet(again.wsUrl)).call("stats", {})).toMatchObject({ total: 0 });
  });

  test("does not wait for clients that do not hear, or have not said anything", async () => {
    const hub = await startHub();
    const [deaf, unfinished] = [await RawSocket.greet(hub.wsUrl), await dial(hub.port)];
    await dial(hub.port);
    deaf.pause();
    unfinished.write("GET /api/coord/stats HTTP/1.1\r\nHost: local");
    const started = performance.now();
    await hub.close();
    expect(performance.now() - started).toBeLessThan(4_000);
  });
});
