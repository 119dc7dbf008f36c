/** A hub inside somebody else's Express app. */
import { once } from "node:events";
import express from "express";
import { describe, expect, test } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { createHub } from "../../../server/index.ts";
import { defer } from "../../support/defer.ts";
import { http } from "../../support/http.ts";
import { RawSocket } from "../../support/rawSocket.ts";
import { tempDir } from "../../support/tempDir.ts";
import { mount } from "./mount.ts";
import { ask, dial, get, upgrade } from "./raw.ts";

const CHAT = { from_claude: "ada", to_claude: "bob", task: "hello", type: "chat" };

describe("a mounted hub", () => {
  test("works under its path, and the app's own routes as before", async () => {
    const { origin, wsUrl } = await mount();
    const socket = await RawSocket.greet(wsUrl, { claude_id: "bob" });
    const { status, body } = await http(`${origin}/api/coord/message`, { method: "POST", body: CHAT });
    expect(status).toBe(201);
    await socket.event("new", body.data.id);
    expect((await http(origin)).body).toBe("the app's own page");
    expect((await http(`${origin}/api/other`)).body).toEqual({ own: true });
    expect((await http(`${origin}/api/coord/nothing`)).body.code).toBe("unknown_operation");
  });

  test("understands bodies that the app has parsed already", async () => {
    const { origin } = await mount({}, (app) => app.use(express.json(), express.urlencoded()));
    const post = (body: unknown, headers = {}) =>
      http(`${origin}/api/coord/message`, { method: "POST", body, headers });
    expect(await post(CHAT)).toMatchObject({ status: 201, body: { data: CHAT } });
    expect(await post({ ...CHAT, colour: "red" })).toMatchObject({ status: 400, body: { code: "invalid_params" } });
    expect(await post([])).toMatchObject({ status: 400, body: { code: "invalid_params" } });
    const deep = `{"from_claude":"ada","template":"t","params":{"feed":${"[".repeat(30_000)}${"]".repeat(30_000)}}}`;
    const asDeep = await post(deep, { "content-type": "application/json" });
    expect(asDeep).toMatchObject({ status: 400, body: { code: "too_deep" } });
    const form = { "content-type": "application/x-www-form-urlencoded" };
    const asForm = await post(new URLSearchParams(CHAT).toString(), form);
    expect(asForm).toMatchObject({ status: 400, body: { code: "bad_json" } });
    const bare = await http(`${origin}/api/coord/heartbeat`, { method: "POST" });
    expect(bare).toMatchObject({ status: 400, body: { error: "Missing field: claude_id" } });
  });

  test("takes pipelined requests in their order, though the app is longer with the first", async () => {
    const { port } = await mount({}, (app) => app.use(express.json()));
    const body = JSON.stringify(CHAT);
    const head = ["POST /api/coord/message HTTP/1.1", "Host: 127.0.0.1", "Content-Type: application/json"];
    const post = [...head, `Content-Length: ${body.length}`, "", body].join("\r\n");
    const list = [...get("/api/coord/messages", "Host: 127.0.0.1"), "", ""].join("\r\n");
    const socket = await dial(port);
    socket.write(post + list);
    let answers = "";
    for await (const chunk of socket) answers += chunk;
    expect(answers.match(/HTTP\/1\.1 \d+/g)).toEqual(["HTTP/1.1 201", "HTTP/1.1 200"]);
    expect(answers).toContain('"count":1');
  });

  test("may stand under another path, with its socket elsewhere", async () => {
    const { port } = await mount({ socketPath: "/live" }, (app, hub) => app.use("/v2/claudes", hub.router));
    expect((await http(`http://127.0.0.1:${port}/v2/claudes/stats`)).body.success).toBe(true);
    expect((await http(`http://127.0.0.1:${port}/v2/claudes/messages?limit=1`)).body.count).toBe(0);
    const socket = await RawSocket.greet(`ws://127.0.0.1:${port}/live`);
    await socket.call("stats", {});
  });

  test("guards its own routes and no others", async () => {
    const { port } = await mount();
    const at = (path: string) => ask(port, [`GET ${path} HTTP/1.1`, "Host: evil.com", "Connection: close"]);
    expect((await at("/api/coord/stats")).status).toBe(403);
    expect((await at("/api/other")).status).toBe(200);
    expect((await ask(port, upgrade(undefined, "Host: evil.com"))).status).toBe(403);
  });

  test("leaves other sockets to others", async () => {
    const { server, port, wsUrl } = await mount();
    const others = new WebSocketServer({ noServer: true });
    server.on("upgrade", (request, socket, head) => {
      if (request.url !== "/own") return;
      others.handleUpgrade(request, socket, head, (ws) => ws.send("the app's own socket"));
    });
    const own = new WebSocket(`ws://127.0.0.1:${port}/own`);
    defer(() => own.terminate());
    expect(String((await once(own, "message"))[0])).toBe("the app's own socket");
    await RawSocket.greet(wsUrl);
    for (const client of others.clients) client.terminate();
  });

  test("shares a server with another one, and still answers upgrades that nobody takes", async () => {
    const { server, port, wsUrl } = await mount();
    const other = await createHub({ db: `${tempDir()}/other.db`, socketPath: "/other/ws" });
    defer(() => other.close());
    other.attach(server);
    await RawSocket.greet(wsUrl);
    await RawSocket.greet(`ws://127.0.0.1:${port}/other/ws`);
    const nobodys = await ask(port, upgrade("/nobodys", "Host: localhost"));
    expect(nobodys).toMatchObject({
      status: 404,
      body: { error: expect.stringContaining("/api/coord/ws, /other/ws") },
    });
    await other.close();
    expect((await ask(port, upgrade("/other/ws", "Host: localhost"))).status).toBe(404);
    expect((await ask(port, upgrade(undefined, "Host: localhost"))).status).toBe(101);
  });

  test("takes a path of a server once, with a sentence for who attaches it twice", async () => {
    const { hub, server, wsUrl } = await mount();
    const other = await createHub({ db: `${tempDir()}/other.db` });
    defer(() => other.close());
    const taken =
      "a hub takes the sockets at /api/coord/ws of this server already: another one needs a socketPath of its own";
    expect(() => other.attach(server)).toThrow(taken);
    expect(() => hub.attach(server)).toThrow(taken);
    await RawSocket.greet(wsUrl);
    await hub.close();
    other.attach(server);
    await RawSocket.greet(wsUrl);
  });

  test("takes no more sockets once it is closed, and the app goes on", async () => {
    const { hub, origin, wsUrl } = await mount();
    const socket = await RawSocket.greet(wsUrl);
    await hub.close();
    expect(await socket.closed).toMatchObject({ code: 1012 });
    await expect(RawSocket.open(wsUrl)).rejects.toThrow(/50\d|404/);
    expect(await http(`${origin}/api/coord/stats`)).toMatchObject({ status: 503, body: { code: "shutting_down" } });
    expect((await http(origin)).body).toBe("the app's own page");
  });
});
