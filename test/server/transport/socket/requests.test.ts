/** What is said on a socket, right and wrong: hello, requests, batches, acknowledgements. */
import { beforeAll, describe, expect, test } from "vitest";
import { LIVENESS } from "../../../../shared/defaults.ts";
import type { ErrorCode } from "../../../../shared/errors.ts";
import { LIMITS } from "../../../../shared/limits.ts";
import { PROTOCOL_VERSION } from "../../../../shared/protocol.ts";
import { ManualClock } from "../../../support/clock.ts";
import { http } from "../../../support/http.ts";
import { startHub, type TestHub } from "../../../support/hub.ts";
import { RawSocket } from "../../../support/rawSocket.ts";
import { HeldStore } from "../heldStore.ts";
import { pass } from "../pass.ts";
import { answers, CHAT, CLIENT, refusal, rpc } from "./rpc.ts";

let hub: TestHub;
let observer: RawSocket;

beforeAll(async () => {
  hub = await startHub();
  observer = await RawSocket.greet(hub.wsUrl);
});

const total = async () => (await observer.call("stats", {})).total;

describe("hello", () => {
  test("comes first: whatever else does is refused, and changes nothing", async () => {
    const before = await total();
    const socket = await RawSocket.open(hub.wsUrl);
    socket.send(rpc("send", CHAT, "1"));
    socket.send(rpc("stats", {}, "two"));
    socket.send(rpc("ack", { cursor: "0123456789ab.0" }));
    socket.send(rpc("nonsense", {}, "4"));
    expect(await answers(socket, 4)).toEqual([
      refusal("1", "hello_required"),
      refusal("two", "hello_required"),
      refusal(null, "hello_required"),
      refusal("4", "hello_required"),
    ]);
    await socket.hello();
    await socket.call("stats", {});
    expect(await total()).toBe(before);
  });

  test("is answered with where the session stands and what holds on it", async () => {
    await observer.call("send", CHAT);
    const { cursor, version } = await observer.call("info", {});
    const { welcome } = await RawSocket.greet(hub.wsUrl, { claude_id: "bob" });
    expect(welcome).toEqual({
      session: expect.stringMatching(/^[0-9a-f-]{36}$/),
      cursor,
      resumed: false,
      heartbeat_ms: LIVENESS.ping_ms,
      window: { events: LIMITS.window_events, bytes: LIMITS.window_bytes },
      limits: LIMITS,
      hub: { version, protocol: PROTOCOL_VERSION },
    });
    expect(cursor).not.toMatch(/\.0$/);
  });

  test("is said once", async () => {
    const socket = await RawSocket.greet(hub.wsUrl, { claude_id: "bob" });
    socket.send(rpc("hello", { client: CLIENT, claude_id: "eve" }, "again"));
    expect(await socket.answer("again")).toEqual(refusal("again", "hello_repeated"));
    const { message } = await socket.call("send", { to_claude: "cyd", task: "t" });
    expect(message.from_claude).toBe("bob");
  });

  test.each([
    [{}, "Missing field: client"],
    [{ client: { name: "test" } }, "Missing field: client.version"],
    [{ client: CLIENT, claude_id: "" }, /^claude_id must/],
    [{ client: CLIENT, claude_id: "two words" }, /^claude_id must be 1 to 128 of the characters/],
    [{ client: CLIENT, claude_id: "*" }, /^claude_id must/],
    [{ client: CLIENT, claud_id: "bob" }, 'Unknown field: claud_id (did you mean "claude_id"?)'],
    [{ client: CLIENT, about: { hots: "x" } }, /^Unknown field: hots in about/],
    [{ client: CLIENT, resume: "7" }, /^resume is not a cursor/],
    [{ client: CLIENT, scope: "some" }, "Invalid scope. Must be one of: mine, all"],
    [{ client: CLIENT, receives: "yes" }, "receives must be a boolean"],
  ])("%o is refused, and may be put right", async (said, sentence) => {
    const socket = await RawSocket.open(hub.wsUrl);
    const matching = typeof sentence === "string" ? sentence : expect.stringMatching(sentence);
    socket.send(rpc("hello", said, "1"));
    expect(await socket.answer("1")).toEqual(refusal("1", "invalid_params", matching));
    await socket.hello({ claude_id: "bob" });
    await socket.call("stats", {});
  });

  test("goes on from a cursor; another view of the same run does not", async () => {
    const first = await RawSocket.greet(hub.wsUrl, { claude_id: "bob", run: "r1" });
    const resume = first.welcome.cursor;
    await first.call("send", { to_claude: "bob", task: "t" });
    const greet = async (params: Parameters<typeof RawSocket.greet>[1]) =>
      (await RawSocket.greet(hub.wsUrl, { claude_id: "bob", resume, ...params })).welcome;
    expect(await greet({ run: "r1" })).toMatchObject({ cursor: resume, resumed: true });
    const told = await greet({ run: "r1", scope: "all" });
    expect(told).toMatchObject({ resumed: false, reason: "filter_changed" });
    expect(await greet({ run: "r1", scope: "all" })).toMatchObject({ resumed: false, reason: "filter_changed" });
    expect(await greet({ run: "r1", scope: "all", resume: told.cursor })).toMatchObject({ resumed: true });
    expect(await greet({ run: "r2", scope: "all" })).toMatchObject({ resumed: true });
  });

  test("with scope `all` shows a named instance everything, and only what is for it is delivered", async () => {
    const all = await RawSocket.greet(hub.wsUrl, { claude_id: "eve", scope: "all", receives: true });
    const mine = await RawSocket.greet(hub.wsUrl, { claude_id: "eve", scope: "mine" });
    const { message } = await all.call("send", CHAT);
    await all.event("new", message.id);
    await mine.call("send", { to_claude: "eve", task: "t" });
    const [own] = await mine.eventsUntil(1);
    expect(own?.message.to_claude).toBe("eve");
    await all.event("new", own?.message.id);
    all.ack((await all.call("info", {})).cursor);
    expect(await all.event("delivered", own?.message.id)).toMatchObject({ actor: "eve" });
    expect(await all.call("get", { id: message.id })).not.toHaveProperty("delivered_at");
  });

  test("receipts that the store cannot take are told again together, each once", async () => {
    const [store, clock] = [new HeldStore(), new ManualClock()];
    const { url, wsUrl } = await startHub({ store, clock });
    const ada = await RawSocket.greet(wsUrl, { claude_id: "ada" });
    for (let i = 0; i < 3; i++) await ada.call("send", CHAT);
    store.isFullFor = ({ op }) => op === "delivered";
    const headers = { "x-claude-id": CHAT.to_claude, "x-claude-run": "r1" };
    const poll = async (after: string) => (await http(`${url}/events?receives=true&after=${after}`, { headers })).body;
    for (let i = 0; i < 5; i++) await poll((await poll("start")).data.cursor);
    const told = async () => {
      store.refused.length = 0;
      while (store.refused.length === 0) await pass(clock, 1_000);
      return store.refused;
    };
    await told();
    expect(await told()).toMatchObject([{ ids: ["1", "2", "3"] }]);
    store.isFullFor = () => false;
    await pass(clock, 3_000);
    await ada.until("receipts", () => ada.events.filter(({ kind }) => kind === "delivered").length === 3);
  });

  describe("to resume says that what was sent before was received, though it was not acknowledged:", () => {
    /** Sends a reader a message and moves its cursor past it, then lets it resume there. */
    const resumed = async (claude_id: string, first: object, then: object) => {
      const greet = (said: object) => RawSocket.greet(hub.wsUrl, { claude_id, run: "r1", receives: true, ...said });
      const [reader, ada] = [await greet(first), await RawSocket.greet(hub.wsUrl, { claude_id: "ada" })];
      const { message } = await ada.call("send", { ...CHAT, to_claude: claude_id });
      const { message: ended } = await reader.call("send", { to_claude: "ada", task: "t" });
      await ada.call("complete", { id: ended.id });
      await reader.event("completed", ended.id);
      await greet({ resume: reader.pages.at(-1)?.cursor as string, ...then }); // before the hub knows that the line broke
      await ada.call("send", CHAT);
      return (await ada.call("get", { id: message.id })).delivered_at;
    };

    test("by the same run, on another line", async () => {
      expect(await resumed("cut1", {}, {})).toEqual(expect.any(String));
    });

    test.each([
      ["another run", {}, { run: "r2" }],
      ["no run", { run: undefined }, { run: undefined }],
      ["one that does not receive", {}, { receives: false }],
      ["one that did not receive before", { receives: false }, {}],
      ["one that was sent other kinds", { kinds: ["completed"] }, {}],
    ])("not by %s", async (who, first, then) => {
      expect(await resumed(`not-${who.replaceAll(" ", "-")}`, first, then)).toBeUndefined();
    });
  });

  test("what `subscribe` answers can be acknowledged, though nothing was sent since, and nothing past it", async () => {
    const quiet = await RawSocket.greet(hub.wsUrl, { claude_id: "quiet" });
    await observer.call("send", { ...CHAT, to_claude: "loud" });
    const { cursor } = (await quiet.request("subscribe", {})) as { cursor: string };
    quiet.ack(cursor);
    await quiet.call("stats", {});
    expect(quiet.received.filter(({ error }) => error)).toEqual([]);
    quiet.ack(cursor.replace(/\d+$/, (seq) => `${Number(seq) + 1000}`));
    expect(await quiet.answer(null)).toMatchObject({ error: { data: { code: "invalid_params" } } });
  });
});

describe("requests", () => {
  test("are answered under their ids, whatever these are", async () => {
    const socket = await RawSocket.greet(hub.wsUrl);
    const ids = ["", "a", "π", 0, -1, 2 ** 53 - 1, "x".repeat(LIMITS.key_chars)];
    for (const id of ids) {
      socket.send(rpc("stats", {}, id));
      expect(await socket.answer(id)).toEqual({ jsonrpc: "2.0", id, result: expect.any(Object) });
    }
  });

  test("of an unknown operation name the nearest", async () => {
    const socket = await RawSocket.greet(hub.wsUrl);
    const cases = {
      sned: 'Unknown operation: sned (did you mean "send"?)',
      claimnext: 'Unknown operation: claimnext (did you mean "claim_next"?)',
      helo: 'Unknown operation: helo (did you mean "hello"?)',
      toString: "Unknown operation: toString",
      __proto__x: "Unknown operation: __proto__x",
    };
    for (const [method, sentence] of Object.entries(cases)) {
      socket.send(rpc(method, {}, method));
      expect(await socket.answer(method)).toEqual(refusal(method, "unknown_operation", sentence));
    }
  });

  test("without an id are performed, and not answered", async () => {
    const socket = await RawSocket.greet(hub.wsUrl, { claude_id: "bob" });
    socket.send(rpc("send", CHAT));
    await socket.event("new");
    await socket.call("stats", {});
    expect(await answers(socket, 2)).toHaveLength(2); // of hello and of stats
  });

  test.each([
    ["not JSON", "{", "bad_json"],
    ["nothing", "", "bad_json"],
    ["a number", "1", "invalid_request"],
    ["null", "null", "invalid_request"],
    ["an empty array", "[]", "invalid_request"],
    ["another version", '{"jsonrpc":"1.0","id":"7","method":"stats"}', "invalid_request", "7"],
    ["no method", '{"jsonrpc":"2.0","id":"7"}', "invalid_request", "7"],
    ["a method that is none", '{"jsonrpc":"2.0","id":"7","method":1}', "invalid_request", "7"],
    ["positional parameters", '{"jsonrpc":"2.0","id":"7","method":"stats","params":[]}', "invalid_request", "7"],
    ["parameters that are none", '{"jsonrpc":"2.0","id":"7","method":"stats","params":"x"}', "invalid_request", "7"],
    ["a field of its own", '{"jsonrpc":"2.0","id":"7","method":"stats","extra":1}', "invalid_request", "7"],
    ["__proto__ as a field", '{"jsonrpc":"2.0","id":"7","method":"stats","__proto__":{}}', "invalid_request", "7"],
    [
      "__proto__ as a parameter",
      '{"jsonrpc":"2.0","id":"7","method":"stats","params":{"__proto__":{}}}',
      "invalid_params",
      "7",
    ],
    ["an id that is an object", '{"jsonrpc":"2.0","id":{},"method":"stats"}', "invalid_request"],
    ["an id that is null", '{"jsonrpc":"2.0","id":null,"method":"stats"}', "invalid_request"],
    ["nesting without end", "[".repeat(30_000) + "]".repeat(30_000), "too_deep"],
    ["nesting in an object", `${'{"a":'.repeat(30_000)}1${"}".repeat(30_000)}`, "too_deep"],
  ] as [string, string, ErrorCode, string?][])(
    "%s is refused, and the socket lives on",
    async (_, text, code, id = undefined) => {
      const socket = await RawSocket.greet(hub.wsUrl);
      socket.sendText(text);
      expect((await answers(socket, 2))[1]).toEqual(refusal(id ?? null, code));
      await socket.call("stats", {});
    },
  );

  const LONG = "x".repeat(2 ** 21);

  test.each([
    ["a method", rpc(LONG, {}, 1_000)],
    ["an id", rpc("stats", {}, LONG)],
    ["a field", { ...rpc("stats", {}, 1_000), [LONG]: 1 }],
  ])("with %s of megabytes are refused in a few words, and at once", async (_, request) => {
    const socket = await RawSocket.greet(hub.wsUrl);
    const started = process.cpuUsage();
    socket.send(request);
    const [, answer] = await answers(socket, 2);
    expect(answer?.error).toBeDefined();
    expect(process.cpuUsage(started).user).toBeLessThan(500_000); // microseconds
    expect(JSON.stringify(answer).length).toBeLessThan(2_000);
  });
});

describe("batches", () => {
  test("are answered entry by entry, the right and the wrong, in as few frames as may be", async () => {
    const before = await total();
    const socket = await RawSocket.greet(hub.wsUrl, { claude_id: "bob" });
    socket.send([
      rpc("info", {}, "1"),
      17,
      rpc("sned", {}, "3"),
      rpc("send", CHAT),
      rpc("get", { id: "nope" }, "5"),
      { jsonrpc: "2.0", id: "6" },
      rpc("send", { ...CHAT, colour: "red" }, "7"),
      rpc("send", CHAT, "8"),
      [rpc("stats", {}, "9")],
    ]);
    await socket.eventsUntil(2);
    const came = (await answers(socket, 9)).slice(1);
    expect(came).toHaveLength(8);
    expect(came).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ id: "1", result: expect.objectContaining({ name: "coordination-hub" }) }),
        refusal(null, "invalid_request"),
        refusal("3", "unknown_operation"),
        refusal("5", "not_found", "Message not found"),
        refusal("6", "invalid_request"),
        refusal("7", "invalid_params"),
        expect.objectContaining({ id: "8", result: expect.objectContaining({ deduplicated: false }) }),
      ]),
    );
    expect(await total()).toBe(before + 2);
  });

  test("share frames also on the way back", async () => {
    const socket = await RawSocket.greet(hub.wsUrl);
    const before = socket.frames;
    socket.send(Array.from({ length: LIMITS.batch_requests }, (_, id) => rpc("nothing", {}, `${id}`)));
    await answers(socket, 1 + LIMITS.batch_requests);
    expect(socket.frames - before).toBeLessThan(10);
  });

  test("of more requests than a frame may hold are refused as a whole", async () => {
    const before = await total();
    const socket = await RawSocket.greet(hub.wsUrl);
    socket.send(Array.from({ length: LIMITS.batch_requests + 1 }, (_, id) => rpc("send", CHAT, id)));
    expect((await answers(socket, 2))[1]).toEqual(refusal(null, "invalid_request"));
    expect(await total()).toBe(before);
  });
});

describe("an ack", () => {
  test("is cumulative, may come again, and is not answered", async () => {
    const socket = await RawSocket.greet(hub.wsUrl, { claude_id: "bob" });
    await socket.call("send", CHAT);
    const { cursor } = (await socket.until("a page", () => socket.pages[0])) as { cursor: string };
    for (const at of [cursor, socket.welcome.cursor, cursor]) socket.ack(at);
    await socket.call("stats", {});
    expect(await answers(socket, 3)).toHaveLength(3);
  });

  test("is answered where it asks for that", async () => {
    const socket = await RawSocket.greet(hub.wsUrl, { claude_id: "bob" });
    socket.send(rpc("ack", { cursor: socket.welcome.cursor }, "1"));
    expect(await socket.answer("1")).toMatchObject({ result: {} });
    socket.send(rpc("ack", { cursor: "0123456789ab.0" }, "2"));
    expect(await socket.answer("2")).toEqual(refusal("2", "invalid_params", "cursor is of another log"));
  });

  test("of what was not sent is refused", async () => {
    const socket = await RawSocket.greet(hub.wsUrl, { claude_id: "bob" });
    const [epoch, seq] = socket.welcome.cursor.split(".");
    const cases = [`${epoch}.${Number(seq) + 1}`, `${epoch}.999999999999999`, "0123456789ab.0", "nonsense"];
    for (const cursor of cases) socket.ack(cursor);
    socket.notify("ack", {});
    socket.notify("ack", { cursor: `${epoch}.0`, more: 1 });
    const refused = (await answers(socket, 1 + cases.length + 2)).slice(1);
    for (const answer of refused) expect(answer).toEqual(refusal(null, "invalid_params"));
  });
});
