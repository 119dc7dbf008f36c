/** Frames and upgrades: what becomes a socket, what may be sent on it, and what ends it. */
import { once } from "node:events";
import { beforeAll, describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { CLOSE } from "../../../../shared/closeCodes.ts";
import { SUBPROTOCOL } from "../../../../shared/frames.ts";
import { LIMITS } from "../../../../shared/limits.ts";
import { defer } from "../../../support/defer.ts";
import { startHub, type TestHub } from "../../../support/hub.ts";
import { RawSocket } from "../../../support/rawSocket.ts";
import { ask, dial, get, upgrade } from "../raw.ts";
import { answers, CHAT, refusal, rpc } from "./rpc.ts";

let hub: TestHub;
beforeAll(async () => {
  hub = await startHub();
});

describe("frames", () => {
  test("of bytes are refused, and the socket lives on", async () => {
    const socket = await RawSocket.greet(hub.wsUrl);
    socket.sendBinary(Buffer.from(JSON.stringify(rpc("stats", {}, "1"))));
    expect((await answers(socket, 2))[1]).toEqual(refusal(null, "invalid_request"));
    await socket.call("stats", {});
  });

  test("of as many fragments as may be are understood", async () => {
    const socket = await RawSocket.greet(hub.wsUrl);
    const text = JSON.stringify(rpc("stats", {}, "1")).padEnd(LIMITS.frame_fragments);
    socket.sendFragments([...text.slice(0, LIMITS.frame_fragments - 1), text.slice(LIMITS.frame_fragments - 1)]);
    expect(await socket.answer("1")).toMatchObject({ result: { pending: 0 } });
  });

  test("are not compressed, even for a client that offers it", async () => {
    const ws = new WebSocket(hub.wsUrl, SUBPROTOCOL, { perMessageDeflate: true });
    defer(() => ws.terminate());
    await once(ws, "open");
    expect(ws.extensions).toBe("");
  });

  test.each([
    ["a frame of 5 MiB", CLOSE.tooBig.code, (s: RawSocket) => s.sendText("x".repeat(5 * 2 ** 20))],
    ["a frame one byte too large", CLOSE.tooBig.code, (s: RawSocket) => s.sendText("x".repeat(LIMITS.frame_bytes + 1))],
    ["thousands of tiny fragments", CLOSE.policy.code, (s: RawSocket) => s.sendFragments([..."x".repeat(16_000)])],
    ["a fragment too many", CLOSE.policy.code, (s: RawSocket) => s.sendFragments([..."x".repeat(65)])],
  ])("%s ends the socket with %i, and no other", async (_, code, act) => {
    const [bad, good] = [await RawSocket.greet(hub.wsUrl), await RawSocket.greet(hub.wsUrl)];
    act(bad);
    expect((await bad.closed).code).toBe(code);
    expect(await good.call("stats", {})).toMatchObject({ pending: 0 });
  });

  test("that are not UTF-8 end the socket with 1007", async () => {
    const socket = await RawSocket.greet(hub.wsUrl);
    socket.ws.send(Buffer.from([0x22, 0xff, 0x22]), { binary: false });
    expect((await socket.closed).code).toBe(1007);
  });

  test("of the largest size that may be are read, and too large a text in them refused", async () => {
    const socket = await RawSocket.greet(hub.wsUrl);
    const head = JSON.stringify(rpc("send", { ...CHAT, task: "" }, "1")).replace('""', '"');
    const [before, after] = [head.slice(0, head.indexOf('"task":"') + 8), '"},"id":"1"}'];
    socket.sendText(before + "x".repeat(LIMITS.frame_bytes - before.length - after.length) + after);
    expect(await socket.answer("1")).toEqual(refusal("1", "too_large"));
  });
});

describe("becoming a socket", () => {
  test.each([
    [["coord.v9"], undefined],
    [["coord.v9", SUBPROTOCOL], SUBPROTOCOL],
    [[SUBPROTOCOL], SUBPROTOCOL],
    [[], ""],
  ])("with protocols %o", async (protocols, chosen) => {
    const opening = RawSocket.open(hub.wsUrl, { protocols });
    if (chosen === undefined) await expect(opening).rejects.toThrow("400");
    else expect((await opening).ws.protocol).toBe(chosen);
  });

  test("is possible at its path only, whatever the query", async () => {
    await RawSocket.open(`${hub.wsUrl}?token=ignored`);
    for (const path of ["/", "/api/coord", "/api/coord/ws/", "/api/coord/wss", "//", "/%", "*"]) {
      const { status, body } = await ask(hub.port, upgrade(path, "Host: localhost"));
      expect([path, status, body.code]).toEqual([path, 404, "unknown_operation"]);
      expect(body.error).toContain("/api/coord/ws");
    }
  });

  test("is asked for by an upgrade: a plain request is told that there is no such path", async () => {
    const { status, body } = await ask(hub.port, get("/api/coord/ws", "Host: localhost"));
    expect([status, body.code]).toEqual([404, "unknown_operation"]);
  });

  test("is refused by ws itself where the handshake is wrong", async () => {
    const head = upgrade(undefined, "Host: localhost");
    const cases = [
      head.filter((line) => !line.startsWith("Sec-WebSocket-Key")),
      head.map((line) => line.replace("Version: 13", "Version: 7")),
      head.map((line) => line.replace("GET", "POST")),
    ];
    for (const lines of cases) expect([400, 405, 426]).toContain((await ask(hub.port, lines)).status);
  });

  test("that is refused leaves nothing behind, however its client behaves", async () => {
    const crashes: Error[] = [];
    const note = (error: Error) => void crashes.push(error);
    process.on("uncaughtExceptionMonitor", note);
    const refused = `${upgrade("/nowhere", "Host: localhost").join("\r\n")}\r\n\r\n`;
    for (let i = 0; i < 20; i++) {
      const gone = await dial(hub.port);
      gone.write(refused);
      setImmediate(() => gone.resetAndDestroy());
    }
    const lingering = await dial(hub.port); // keeps its own half open for ever
    lingering.write(refused);
    await once(lingering.resume(), "end");
    await hub.close(); // would wait for a connection that is still there
    process.off("uncaughtExceptionMonitor", note);
    expect(crashes).toEqual([]);
  });
});
