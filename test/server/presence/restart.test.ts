/** Until when an instance was seen, while it is connected and over the end of a hub, however that comes. */
import { copyFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { beforeEach, describe, expect, test } from "vitest";
import { LIVENESS } from "../../../shared/defaults.ts";
import type { Instance, Recipient } from "../../../shared/presence.ts";
import { ManualClock } from "../../support/clock.ts";
import { http } from "../../support/http.ts";
import { startHub, type TestHub } from "../../support/hub.ts";
import { RawSocket } from "../../support/rawSocket.ts";
import { tempDir } from "../../support/tempDir.ts";
import { pass } from "../transport/pass.ts";

const [SECOND, HOUR, DAY] = [1_000, 3_600_000, 86_400_000];
/** Pings would end connections that a clock leaps over. */
const liveness = { pingMs: 1_000 * DAY };

let clock: ManualClock;
let hub: TestHub;

beforeEach(async () => {
  clock = new ManualClock();
  hub = await startHub({ clock, liveness });
});

const iso = (ms: number) => new Date(ms).toISOString();
const connect = () => RawSocket.greet(hub.wsUrl, { claude_id: "bob", about: { roles: ["tester"] } });
const shown = async (): Promise<Instance> => (await http(`${hub.url}/presence/bob`)).body.data?.instances[0];
const chat = async (to_claude: string): Promise<{ data: { id: string }; recipient: Recipient }> =>
  (
    await http(`${hub.url}/message`, {
      method: "POST",
      body: { from_claude: "ada", to_claude, task: "t", type: "chat" },
    })
  ).body;

async function recipientsOf({ data }: { data: { id: string } }): Promise<string[]> {
  const { receipts } = (await http(`${hub.url}/message/${data.id}/receipts`)).body.data;
  return receipts.map(({ recipient }: { recipient: string }) => recipient);
}

/** Ends the hub, and starts another one on what it leaves, after a while. */
const ENDS = {
  "is closed": async (awayMs: number) => {
    await hub.close();
    clock.advance(awayMs);
    hub = await startHub({ clock, liveness, db: hub.db });
  },
  "is killed": async (awayMs: number) => {
    const db = join(tempDir(), "hub.db");
    for (const suffix of ["", "-wal", ".hub-lock"]) copyFileSync(hub.db + suffix, db + suffix);
    await hub.close();
    clock.advance(awayMs);
    hub = await startHub({ clock, liveness, db });
  },
};

/** Nobody comes back. */
const giveUp = () => pass(clock, LIVENESS.reconnect_spread_ms + LIVENESS.leave_ms + 2 * SECOND);

test("whoever is connected is seen now, wherever it is shown", async () => {
  await connect();
  clock.advance(2 * HOUR);
  const now = { state: "online", last_seen: iso(clock.now()) };
  expect(await shown()).toMatchObject(now);
  expect((await chat("bob")).recipient).toMatchObject(now);
  expect((await chat("@tester")).recipient).toMatchObject(now);
});

test("a pool is told of whoever is connected, not of whoever was seen since it came", async () => {
  await connect();
  clock.advance(HOUR);
  const headers = { "x-claude-id": "eve", "x-claude-roles": "tester" };
  await http(`${hub.url}/heartbeat`, { method: "POST", headers, body: {} });
  clock.advance(SECOND);
  expect((await chat("@tester")).recipient).toMatchObject({ last_seen: iso(clock.now()), wake: "connected" });
});

describe.each(Object.entries(ENDS))("a hub that %s", (_, end) => {
  test("knows that whoever was connected was there until then", async () => {
    await connect();
    clock.advance(8 * DAY);
    const first = await chat("*");
    const ended = clock.now();
    await end(30 * SECOND);
    expect(await shown()).toMatchObject({ state: "online", last_seen: iso(ended) });
    await giveUp();
    expect(await shown()).toMatchObject({ state: "offline", last_seen: iso(ended) });
    expect((await chat("bob")).recipient).toMatchObject({ state: "offline", last_seen: iso(ended) });
    expect(await recipientsOf(await chat("*"))).toEqual(["bob"]);
    await pass(clock, 60 * SECOND);
    expect((await http(`${hub.url}/message/${first.data.id}`)).body.data.status).toBe("pending");
    await end(SECOND);
    expect(await shown()).toMatchObject({ state: "offline", last_seen: iso(ended) });
  });

  test("takes nobody to have been seen in a time that has yet to come", async () => {
    clock.step(DAY);
    await connect();
    await chat("*");
    clock.step(-DAY);
    await end(SECOND);
    expect(await shown()).toMatchObject({ state: "online", last_seen: iso(clock.now()) });
  });
});

test.each(Object.entries(ENDS))(
  "a hub that %s knows what everybody told of itself last, also of those who are away",
  async (_, end) => {
    const bob = await connect();
    const tells = (roles: string) =>
      http(`${hub.url}/heartbeat`, {
        method: "POST",
        body: {},
        headers: { "x-claude-id": "eve", "x-claude-roles": roles },
      });
    await tells("reader");
    await tells("writer");
    await pass(clock, 2 * SECOND);
    await chat("zoe"); // with whatever was to be written before
    const seen = clock.now();
    bob.ws.terminate();
    await end(SECOND);
    expect(await shown()).toMatchObject({ roles: ["tester"], about: { roles: ["tester"] } });
    for (const role of ["tester", "writer"]) {
      expect((await chat(`@${role}`)).recipient).toMatchObject({ state: "online" });
    }
    expect((await chat("@reader")).recipient).toMatchObject({ state: "unknown" });
    await giveUp();
    expect((await chat("@tester")).recipient).toMatchObject({ state: "offline", last_seen: iso(seen) });
  },
);

test.each([
  ["is closed", 5],
  ["is killed", 2], // which showed the interval; the others were not written yet
] as const)("a hub that %s knows of heartbeat %i of 5", async (end, known) => {
  const beats: number[] = [];
  for (let i = 0; i < 5; i++) {
    await pass(clock, 60 * SECOND);
    await http(`${hub.url}/heartbeat`, { method: "POST", body: { claude_id: "bob" } });
    beats.push(clock.now());
  }
  await pass(clock, 2 * SECOND);
  await ENDS[end](SECOND);
  expect(await shown()).toMatchObject({ state: "online", last_seen: iso(beats[known - 1] as number) });
});

test("a hub that is closed in quiet times knows it as well, and forgets nobody who was connected for long", async () => {
  await connect();
  await pass(clock, 2 * SECOND);
  clock.advance(LIVENESS.forget_ms + HOUR);
  const closed = clock.now();
  await ENDS["is closed"](30 * SECOND); // so short that the new one believes its clock
  await giveUp();
  expect(await shown()).toMatchObject({ state: "offline", last_seen: iso(closed) });
  await pass(clock, 60 * SECOND);
  expect(await recipientsOf(await chat("*"))).toEqual(["bob"]);
});

describe.each(Object.entries(ENDS))("a heartbeat before a hub %s, again and again,", (_, end) => {
  const beat = () => http(`${hub.url}/heartbeat`, { method: "POST", body: { claude_id: "bob", interval_ms: 30_000 } });
  /** Somebody else keeps the hub busy, so that it notes the time. */
  const work = async (ms: number) => {
    await pass(clock, ms);
    await chat("eve");
  };

  test("does not become fresher, nor later, by that", async () => {
    await beat();
    const beatAt = clock.now();
    await work(10 * SECOND);
    for (let i = 0; i < 7; i++) {
      await end(SECOND);
      expect(await shown()).toMatchObject({ last_seen: iso(beatAt) });
      await work(60 * SECOND);
    }
    while ((await shown()).state === "online") await setTimeout(1);
    expect(await shown()).toMatchObject({ last_seen: iso(beatAt) });
  });

  test("is believed to be followed by others until the next is overdue", async () => {
    for (let i = 0; i < 8; i++) {
      await beat();
      await work(25 * SECOND);
    }
    await end(SECOND);
    await pass(clock, 20 * SECOND);
    expect((await shown()).state).toBe("online");
  });

  test("counts for as long as the last one said", async () => {
    await beat();
    await work(2 * SECOND);
    await http(`${hub.url}/heartbeat`, { method: "POST", body: { claude_id: "bob", interval_ms: 10 * 60 * SECOND } });
    await work(2 * SECOND);
    await end(SECOND);
    await work(5 * 60 * SECOND);
    expect((await shown()).state).toBe("online");
  });

  test("is not what holds whoever is connected, then or since", async () => {
    await beat();
    await connect();
    await beat();
    await pass(clock, 2 * SECOND);
    clock.advance(8 * DAY);
    await chat("eve");
    const ended = clock.now();
    await end(SECOND);
    expect(await shown()).toMatchObject({ state: "online", last_seen: iso(ended) });
  });
});

test("a heartbeat holds whoever beats again after a while, and whoever was connected", async () => {
  const beat = () => http(`${hub.url}/heartbeat`, { method: "POST", body: { claude_id: "bob" } });
  const socket = await connect();
  await beat();
  await socket.close(4000); // not a goodbye
  await pass(clock, 2 * SECOND);
  const beatAt = clock.now();
  await beat();
  await pass(clock, 30 * SECOND);
  await chat("eve");
  await ENDS["is killed"](SECOND);
  const { state, last_seen } = await shown();
  expect(state).toBe("online");
  expect(Date.parse(last_seen)).toBeLessThanOrEqual(beatAt);
});

test("whoever was late with its heartbeat stays as late as it was", async () => {
  await http(`${hub.url}/heartbeat`, { method: "POST", body: { claude_id: "bob" } });
  const beatAt = clock.now();
  await pass(clock, LIVENESS.fresh_min_ms + 2 * SECOND);
  while ((await shown()).state !== "stale") await setTimeout(1);
  await ENDS["is closed"](SECOND);
  expect(await shown()).toMatchObject({ state: "stale", last_seen: iso(beatAt) });
});
