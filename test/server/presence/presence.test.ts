/** Who is there, as callers and listeners see it: snapshots, diffs, what a sender is told, and what is kept. */
import { setTimeout } from "node:timers/promises";
import { beforeEach, describe, expect, test } from "vitest";
import { PresenceBoard } from "../../../server/presence/presence.ts";
import { BetterSqlite } from "../../../server/store/sqlite/betterSqlite.ts";
import { LIVENESS } from "../../../shared/defaults.ts";
import { LIMITS } from "../../../shared/limits.ts";
import { type Instance, PRESENCE_LIMITS, type Presence } from "../../../shared/presence.ts";
import { ManualClock } from "../../support/clock.ts";
import { http } from "../../support/http.ts";
import { startHub, type TestHub } from "../../support/hub.ts";
import { RawSocket } from "../../support/rawSocket.ts";
import { HeldStore } from "../transport/heldStore.ts";
import { pass } from "../transport/pass.ts";

const UNHEARD = { failed() {}, warn() {} };

let clock: ManualClock;
let hub: TestHub;

beforeEach(async () => {
  clock = new ManualClock();
  hub = await startHub({ clock });
});

const presence = async (query = ""): Promise<Presence> => (await http(`${hub.url}/presence${query}`)).body.data;
const beat = (body: object) => http(`${hub.url}/heartbeat`, { method: "POST", body });
const stateOf = async (name: string) => (await presence(`/${name}`)).instances[0]?.state;
const iso = (ms: number) => new Date(ms).toISOString();

/** Waits until the hub has noticed that connections are gone. */
async function connections(name: string, count: number): Promise<void> {
  while ((await presence(`/${name}`)).instances[0]?.connections.length !== count) await setTimeout(1);
}

describe("a snapshot", () => {
  test("tells everything of an instance", async () => {
    const about = { host: "laptop", project: "etf", roles: ["scraper", "writer"], note: "hello" };
    const since = clock.now();
    const socket = await RawSocket.greet(hub.wsUrl, { claude_id: "bob", run: "r1", about });
    const { message: first } = await socket.call("send", { from_claude: "ada", to_claude: "bob", task: "1" });
    clock.advance(5_000);
    for (const task of ["2", "3"]) await socket.call("send", { from_claude: "ada", to_claude: "bob", task });
    const expected = {
      claude_id: "bob",
      state: "online",
      since: iso(since),
      last_seen: iso(clock.now()),
      connections: [{ transport: "websocket", client: { name: "test", version: "0" }, host: "laptop" }],
      roles: about.roles,
      about,
      in_progress: 0,
      waiting: 3,
      oldest_waiting: first.created_at,
      reachability: "connected",
    };
    expect((await presence("/bob")).instances).toEqual([expected]);
    expect((await socket.call("presence", {})).instances).toEqual([expected]);
    const claimed = await socket.call("claim_next", {});
    expect(claimed?.id).toBe(first.id);
    const { oldest_waiting, ...busy } = (await presence("/bob")).instances[0] as typeof expected;
    expect(busy).toMatchObject({ in_progress: 1, waiting: 2 });
    expect(oldest_waiting).toBe(iso(since + 5_000));
  });

  test("shows streams and polling runs as connections, and observers not at all", async () => {
    await RawSocket.greet(hub.wsUrl);
    const headers = { "x-claude-id": "bob", "x-claude-run": "r1" };
    const told = { "x-claude-roles": "scraper, writer", "x-claude-about": '{"host":"laptop"}' };
    await http(`${hub.url}/events`, { headers });
    await http(`${hub.url}/events`, { headers: { ...headers, ...told } });
    await http(`${hub.url}/events`, { headers: { ...headers, ...told } });
    const about = { host: "laptop", roles: ["scraper", "writer"] };
    const connections = [{ transport: "long_poll", host: "laptop" }];
    expect((await presence()).instances).toMatchObject([
      { claude_id: "bob", state: "online", connections, roles: about.roles, about },
    ]);
    await pass(clock, 10_000 + LIVENESS.leave_ms + 1_000); // no poll followed
    expect(await stateOf("bob")).toBe("offline");
  });

  test("of one that was never there is refused", async () => {
    expect(await http(`${hub.url}/presence/nobody`)).toMatchObject({ status: 404, body: { code: "not_found" } });
  });

  test("of names that objects inherit", async () => {
    for (const claude_id of ["constructor", "__proto__", "toString"]) {
      await beat({ claude_id });
      expect((await presence(`/${claude_id}`)).instances).toMatchObject([{ claude_id, state: "online" }]);
    }
  });
});

describe("a socket", () => {
  test("that breaks leaves its instance online for 15 s", async () => {
    const socket = await RawSocket.greet(hub.wsUrl, { claude_id: "bob" });
    socket.ws.terminate();
    await connections("bob", 0);
    await pass(clock, LIVENESS.leave_ms - 1_000);
    expect(await stateOf("bob")).toBe("online");
    await pass(clock, 2_000);
    expect(await stateOf("bob")).toBe("offline");
  });

  test("that says goodbye takes its instance along", async () => {
    const [first, second] = [
      await RawSocket.greet(hub.wsUrl, { claude_id: "bob" }),
      await RawSocket.greet(hub.wsUrl, { claude_id: "bob" }),
    ];
    expect((await presence("/bob")).instances[0]?.connections).toHaveLength(2);
    await first.close();
    await connections("bob", 1);
    expect(await stateOf("bob")).toBe("online");
    await second.close();
    await connections("bob", 0);
    expect(await stateOf("bob")).toBe("offline");
  });
});

describe("waiting for a change", () => {
  test("ends when something has changed", async () => {
    const { version } = await presence();
    const waiting = presence(`?since=${version}&wait_ms=50000`);
    await presence(); // by now the other has been read
    await beat({ claude_id: "bob" });
    await pass(clock, 1_000);
    const changed = await waiting;
    expect(changed.version).toBeGreaterThan(version);
    expect(changed.instances).toMatchObject([{ claude_id: "bob", state: "online" }]);
    expect((await presence(`?since=${version}&wait_ms=50000`)).version).toBe(changed.version); // known already
  });

  test("ends when the time is over, with the version as it was", async () => {
    const { version } = await presence();
    const waiting = presence(`?since=${version}&wait_ms=3000`);
    await presence();
    await pass(clock, 4_000);
    expect(await waiting).toEqual({ version, instances: [] });
  });
});

describe("a listener", () => {
  const listen = () => RawSocket.greet(hub.wsUrl, { presence: true });
  const diffs = (socket: RawSocket) => socket.notifications("presence") as Presence[];

  test("is told what has changed, once a second, with rising versions", async () => {
    const [listener, other] = [await listen(), await RawSocket.greet(hub.wsUrl)];
    const { version } = await listener.call("presence", {});
    for (let i = 0; i < 3; i++) {
      const bob = await RawSocket.greet(hub.wsUrl, { claude_id: "bob" });
      await beat({ claude_id: "cyd" });
      await bob.close();
      await connections("bob", 0);
    }
    expect(diffs(listener)).toEqual([]);
    await pass(clock, 1_000);
    const [first] = await listener.until("a diff", () => diffs(listener).length > 0 && diffs(listener));
    expect(first?.version).toBe(version + 1);
    expect(first?.instances).toMatchObject([
      { claude_id: "bob", state: "offline" },
      { claude_id: "cyd", state: "online" },
    ]);
    await beat({ claude_id: "dot" });
    await pass(clock, 3_000);
    await listener.until("another", () => diffs(listener).length > 1);
    expect(diffs(listener).map((diff) => diff.version)).toEqual([version + 1, version + 2]);
    expect(diffs(listener)[1]?.instances).toMatchObject([{ claude_id: "dot" }]);
    expect(other.notifications("presence")).toEqual([]);
  });

  test("is told with the next diff of what could not be read", async () => {
    const store = new HeldStore();
    hub = await startHub({ clock, store });
    const listener = await listen();
    const { workload } = store;
    store.workload = () => Promise.reject(new Error("the disk is away"));
    await beat({ claude_id: "bob" });
    await pass(clock, 1_000);
    store.workload = workload;
    await pass(clock, 1_000);
    const [diff] = await listener.until("a diff", () => diffs(listener).length > 0 && diffs(listener));
    expect(diff?.instances).toMatchObject([{ claude_id: "bob", state: "online" }]);
  });

  test("folds what it is told into what a snapshot says", async () => {
    const listener = await listen();
    const known = new Map((await listener.call("presence", {})).instances.map((one) => [one.claude_id, one]));
    const sockets = await Promise.all(["a", "b", "c"].map((claude_id) => RawSocket.greet(hub.wsUrl, { claude_id })));
    await pass(clock, 2_000);
    sockets[0]?.ws.terminate();
    await sockets[1]?.close();
    await connections("a", 0);
    await connections("b", 0);
    await beat({ claude_id: "d" });
    await pass(clock, LIVENESS.leave_ms + 2_000);
    const { instances: now } = await listener.call("presence", {}); // comes after every diff before it
    for (const { instances } of diffs(listener)) for (const one of instances) known.set(one.claude_id, one);
    const isSeen = ({ connections }: Instance) => connections.length > 0; // for as long as it is connected
    const told = [...known.values()].map((one) => (isSeen(one) ? { ...one, last_seen: iso(clock.now()) } : one));
    expect(told).toEqual(now);
  });

  test(`is told only that much has changed above ${PRESENCE_LIMITS.diff_instances} at once`, async () => {
    const listener = await listen();
    const { version } = await listener.call("presence", {});
    const many = (count: number, prefix: string) =>
      Promise.all(Array.from({ length: count }, (_, i) => listener.call("heartbeat", { claude_id: `${prefix}${i}` })));
    await many(PRESENCE_LIMITS.diff_instances, "a");
    await pass(clock, 1_000);
    await listener.until("a diff", () => diffs(listener)[0]?.instances.length === PRESENCE_LIMITS.diff_instances);
    await many(PRESENCE_LIMITS.diff_instances + 1, "b");
    await pass(clock, 1_000);
    await listener.until("news", () => listener.notifications("presence_changed").length > 0);
    expect(listener.notifications("presence_changed")).toEqual([{ version: version + 2 }]);
    expect(diffs(listener)).toHaveLength(1);
  });

  test("is told little of a storm of 500 reconnects", async () => {
    const listener = await listen();
    const names = Array.from({ length: 500 }, (_, i) => `storm${i}`);
    const connect = () => Promise.all(names.map((claude_id) => RawSocket.greet(hub.wsUrl, { claude_id })));
    const sockets = await connect();
    await pass(clock, 2_000);
    const before = listener.frames;
    for (const { ws } of sockets) ws.terminate();
    await pass(clock, 2_000);
    await connect();
    await pass(clock, LIVENESS.leave_ms + 5_000);
    expect((await presence()).instances.filter(({ state }) => state === "online")).toHaveLength(500);
    expect(listener.frames - before).toBeLessThan(10);
  });
});

describe("a sender", () => {
  const send = async (to_claude: string) => {
    const body = { from_claude: "ada", to_claude, task: "t", type: "chat" };
    return (await http(`${hub.url}/message`, { method: "POST", body })).body.recipient;
  };

  test("is told what to expect of the recipient", async () => {
    const start = clock.now();
    expect(await send("bob")).toEqual({ state: "unknown", waiting: 1, oldest_waiting: iso(start), wake: "unknown" });
    clock.advance(1_000);
    const socket = await RawSocket.greet(hub.wsUrl, { claude_id: "bob" });
    const seen = { last_seen: iso(start + 1_000), oldest_waiting: iso(start) };
    expect(await send("bob")).toEqual({ state: "online", waiting: 2, wake: "connected", ...seen });
    await socket.close();
    await connections("bob", 0);
    clock.advance(6 * 3_600_000);
    expect(await send("bob")).toEqual({ state: "offline", waiting: 3, wake: "unknown", ...seen });
  });

  test("to a pool is told of its member, which may say with its heartbeat that it is one", async () => {
    const headers = { "x-claude-id": "bob", "x-claude-roles": "tester" };
    await http(`${hub.url}/heartbeat`, { method: "POST", body: { claude_id: "bob" }, headers });
    await http(`${hub.url}/heartbeat`, { method: "POST", body: { claude_id: "eve" }, headers });
    expect(await send("@tester")).toMatchObject({ state: "online", last_seen: iso(clock.now()) });
    expect((await presence("/eve")).instances).toMatchObject([{ roles: [] }]);
  });

  test("is told of whoever asks for anything over REST by its name, and that it is there while it waits for a task", async () => {
    const start = clock.now();
    const worker = { "x-claude-id": "bob", "x-claude-run": "r1", "x-claude-roles": "tester" };
    const claim = (wait_ms: number) =>
      http(`${hub.url}/claim`, { method: "POST", headers: worker, body: { for_claude: "nobody", wait_ms } });
    await claim(0);
    expect((await presence("/bob")).instances).toMatchObject([{ state: "offline", roles: ["tester"] }]);
    clock.advance(60_000);
    const away = { state: "offline", last_seen: iso(start), wake: "unknown" };
    expect([await send("bob"), await send("@tester")]).toMatchObject([away, away]);
    const waiting = claim(5_000);
    await connections("bob", 1);
    expect(await send("@tester")).toMatchObject({ state: "online", wake: "connected" });
    await pass(clock, 5_000);
    await waiting;
    await pass(clock, LIVENESS.leave_ms + 1_000);
    expect(await send("bob")).toMatchObject({ ...away, last_seen: iso(start + 65_000) });
  });

  test("to everyone is told nothing of anybody", async () => {
    await beat({ claude_id: "bob" });
    expect(await send("*")).toMatchObject({ state: "unknown", wake: "unknown" });
  });
});

describe("what is kept", () => {
  /** Who was there when, as the database has it once the hub is closed. */
  async function kept(): Promise<[string, string, number][]> {
    await hub.close();
    const db = new BetterSqlite(hub.db, { readonly: true });
    const rows = db.prepare("SELECT claude_id, state, at FROM coordination_presence ORDER BY id").raw().all();
    db.close();
    return (rows as [string, string, string][]).map(([name, state, at]) => [name, state, Date.parse(at)]);
  }

  test("are transitions, and heartbeats now and then", async () => {
    const start = clock.now();
    const bob = await RawSocket.greet(hub.wsUrl, { claude_id: "bob" });
    await pass(clock, 2_000);
    await bob.close();
    await connections("bob", 0);
    for (let i = 0; i < 21; i++) {
      await beat({ claude_id: "cyd", interval_ms: 30_000 });
      clock.advance(30_000);
    }
    await pass(clock, 1_000);
    await beat({ claude_id: "dot" }); // in the hub's last second
    const rows = await kept();
    expect(rows.at(-2)?.slice(0, 2)).toEqual(["dot", "online"]);
    expect(rows.filter(([name]) => name === "bob")).toEqual([
      ["bob", "online", start],
      ["bob", "offline", start + 2_000],
    ]);
    const cyds = rows.filter(([name]) => name === "cyd").map(([, state, at]) => [state, at - start]);
    expect(cyds).toEqual([
      ["online", 2_000],
      ["heartbeat", 2_000],
      ["heartbeat", 302_000],
      ["heartbeat", 602_000],
    ]);
  });

  test("is when somebody was heard of, if away, to a few minutes", async () => {
    const start = clock.now();
    for (let i = 0; i < 21; i++) {
      await http(`${hub.url}/stats`, { headers: { "x-claude-id": "bob" } });
      clock.advance(30_000);
    }
    await hub.close();
    hub = await startHub({ clock, db: hub.db });
    expect((await presence()).instances).toMatchObject([
      { claude_id: "bob", state: "offline", since: iso(start), last_seen: iso(start + 330_000) },
    ]);
    expect((await kept()).map(([, state, at]) => [state, at - start])).toEqual([
      ["offline", 0],
      ["heartbeat", 30_000],
      ["heartbeat", 330_000],
    ]);
  });

  test("is when it was heard of, not when it was found to be silent", async () => {
    const start = clock.now();
    await beat({ claude_id: "bob", interval_ms: 3_600_000 });
    clock.advance(8 * 86_400_000);
    clock.advance(LIVENESS.stale_ms + 2_000);
    await hub.close();
    hub = await startHub({ clock, db: hub.db });
    expect((await presence()).instances).toMatchObject([{ state: "offline", last_seen: iso(start) }]);
    const body = { from_claude: "ada", to_claude: "*", task: "hello", type: "chat" };
    const { id } = (await http(`${hub.url}/message`, { method: "POST", body })).body.data;
    expect((await http(`${hub.url}/message/${id}/receipts`)).body.data.receipts).toEqual([]);
  });

  test("lets a restart of the hub pass unnoticed for who comes back in time", async () => {
    const start = clock.now();
    for (const claude_id of ["bob", "cyd"]) await RawSocket.greet(hub.wsUrl, { claude_id });
    await pass(clock, 2_000);
    await hub.close();
    clock.advance(3_600_000);
    hub = await startHub({ clock, db: hub.db });
    expect((await presence()).instances).toMatchObject([
      { claude_id: "bob", state: "online", since: iso(start), connections: [] },
      { claude_id: "cyd", state: "online", since: iso(start), connections: [] },
    ]);
    const listener = await RawSocket.greet(hub.wsUrl, { presence: true });
    await pass(clock, LIVENESS.reconnect_spread_ms + LIVENESS.leave_ms - 2_000); // they are sent away over that spread
    await RawSocket.greet(hub.wsUrl, { claude_id: "bob" });
    expect(await stateOf("cyd")).toBe("online");
    await pass(clock, 4_000);
    expect(await stateOf("bob")).toBe("online");
    expect(await stateOf("cyd")).toBe("offline");
    await listener.call("presence", {}); // comes after every diff before it
    const told = (listener.notifications("presence") as Presence[]).flatMap(({ instances }) => instances);
    expect(told.map(({ claude_id, state }) => [claude_id, state])).toEqual([
      ["bob", "online"],
      ["cyd", "offline"],
    ]);
    expect((await kept()).map(([name, state]) => `${name} ${state}`)).toEqual([
      "bob online",
      "cyd online",
      "cyd offline",
    ]);
  });

  test("for 30 days, after which those who were not there are forgotten themselves", async () => {
    for (const claude_id of ["bob", "cyd"]) await beat({ claude_id });
    await pass(clock, 1_000);
    await hub.close();
    clock.advance(LIVENESS.forget_ms);
    hub = await startHub({ clock, db: hub.db });
    await beat({ claude_id: "cyd", interval_ms: 24 * 3_600_000 });
    await pass(clock, LIVENESS.fresh_min_ms + LIVENESS.stale_ms + 2_000);
    expect(await stateOf("bob")).toBe("offline");
    await hub.close();
    clock.advance(LIVENESS.forget_ms);
    hub = await startHub({ clock, db: hub.db });
    clock.advance(3_600_000); // until the hub believes its clock
    await pass(clock, 60_000);
    while ((await http(`${hub.url}/presence/bob`)).status !== 404) await setTimeout(1);
    expect((await presence()).instances).toMatchObject([{ claude_id: "cyd", state: "online" }]);
    expect(await kept()).toEqual([]);
  });
});

test("whoever is forgotten to make room is told of as offline first, and may be too many for the store, too", async () => {
  const told: Presence[] = [];
  const nobody = { in_progress: 0, waiting: 0, oldest: null };
  const store = { workload: async (names: readonly string[]) => names.map((claude_id) => ({ claude_id, ...nobody })) };
  const board = new PresenceBoard({ clock, leaveMs: 0, store, record: async () => true, report: UNHEARD });
  board.start([], null);
  board.beat("bob");
  for (let i = 1; i < LIMITS.instances; i++) {
    expect(board.forgets(null)).toBe(false);
    board.beat(`n${i}`);
  }
  await pass(clock, 1_000);
  board.listen({ isBehind: false, notify: (method, params) => told.push({ ...JSON.parse(params), method }) });
  board.beat("cyd");
  await pass(clock, 1_000);
  board.stop();
  expect(told).toMatchObject([
    {
      method: "presence",
      instances: [
        { claude_id: "bob", state: "offline" },
        { claude_id: "cyd", state: "online" },
      ],
    },
  ]);
  expect(board.knows("bob")).toBe(false);
  expect(board.forgets(null)).toBe(true);
});
