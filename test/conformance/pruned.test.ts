/** Pruning under readers' feet, through a real hub: nobody is handed a gap, and who is too far behind starts anew. */

import { describe, expect, test } from "vitest";
import { BetterSqlite } from "../../server/store/sqlite/betterSqlite.ts";
import type { Event } from "../../shared/event.ts";
import type { Message } from "../../shared/message.ts";
import { Heard, join } from "../client/sdk/support.ts";
import { comparable, folded } from "../server/store/fold.ts";
import { ManualClock } from "../support/clock.ts";
import { startHub, type TestHub } from "../support/hub.ts";
import { seededRandom } from "../support/random.ts";
import { RawSocket } from "../support/rawSocket.ts";
import { isLast, Workers } from "./log.ts";
import { CARRIERS } from "./readers.ts";

const MINUTE = 60_000;
const RETENTION = { completeMs: MINUTE, failedMs: MINUTE, logMs: MINUTE };

/** A hub that keeps everything for a minute, and a log that is older than that when it is over. */
async function startPruned() {
  const clock = new ManualClock();
  const hub = await startHub({ clock, retention: RETENTION });
  const workers = await Workers.start(hub, seededRandom());
  const origin = await workers.head();
  await workers.work(80, 50);
  return { clock, hub, origin };
}

/** Time passes until all that can be pruned by then is; whoever has a socket is heard meanwhile. */
async function passTime(clock: ManualClock, ms: number, socket: RawSocket): Promise<void> {
  for (let passed = 0; passed < ms; passed += 5_000) {
    clock.advance(5_000);
    await socket.call("stats", {}); // answered by the store, after what was asked of it before
  }
  await settle(clock, socket);
}

/** Lets a round of pruning come to its end: each portion is followed by the next one after a pause. */
async function settle(clock: ManualClock, socket: RawSocket): Promise<void> {
  for (let i = 0; i < 50; i++) {
    clock.advance(20);
    await socket.call("stats", {});
  }
}

/** All messages, and the cursor of the last page of them. */
async function stateOf(socket: RawSocket): Promise<{ messages: Message[]; cursor: string }> {
  const messages: Message[] = [];
  for (let next: string | undefined; ; ) {
    const page = await socket.call("list", { limit: 500, ...(next && { next }) });
    messages.push(...page.messages);
    next = page.next;
    if (next === undefined) return { messages, cursor: page.cursor };
  }
}

describe.each(CARRIERS)("$name", ({ start }) => {
  test("who was too far behind is told, reads the state, and from there follows exactly, while pruning goes on", async () => {
    const { clock, hub, origin } = await startPruned();
    const socket = await RawSocket.greet(hub.wsUrl);
    const before = await stateOf(socket);
    await passTime(clock, 3 * MINUTE, socket);
    const { lost } = await start(hub, { from: origin });
    expect(lost?.reason).toBe("pruned");

    const workers = await Workers.start(hub, seededRandom());
    await workers.work(80, 50);
    const state = await stateOf(socket);
    expect(state.messages.length).toBeGreaterThan(0);
    const ended = ({ status }: Message) => status === "complete" || status === "failed";
    expect(before.messages.some(ended)).toBe(true);
    const wasThere = new Set(before.messages.filter(ended).map(({ id }) => id));
    expect(state.messages.filter(({ id }) => wasThere.has(id))).toEqual([]);

    const reader = await start(hub, { from: state.cursor });
    const told: Event[] = [];
    const reading = (async () => {
      for (;;) {
        const { events } = await reader.nextPage();
        told.push(...events);
        if (events.some(isLast)) return;
      }
    })();
    await passTime(clock, 90_000, socket); // what ended is pruned now: each message with its event
    const last = await Workers.start(hub, seededRandom());
    await last.finish();
    await reading;
    expect(told.filter(({ kind, actor }) => kind === "deleted" && actor === undefined).length).toBeGreaterThan(0);
    expect(folded(state.messages, told)).toEqual(comparable((await stateOf(socket)).messages));
    reader.cut();
  });

  test("whoever the hub lets in although the store has just pruned is told all the same", async () => {
    const first = await startHub();
    const workers = await Workers.start(first, seededRandom());
    const origin = await workers.head();
    await workers.work(30);
    await first.close();
    const hub = await startHub({ db: first.db });
    const db = new BetterSqlite(hub.db);
    db.exec("DELETE FROM coordination_log WHERE seq < 5"); // the hub does not know of it
    db.close();
    const from = `${origin.split(".")[0]}.3`;
    const reader = await start(hub, { from });
    if (!reader.lost) await expect(reader.nextPage()).rejects.toThrow("the line is gone");
    expect((await start(hub, { from })).lost?.reason).toBe("pruned");
  });
});

test("the log's beginning is where it begins now, although the hub does not know of it yet", async () => {
  const first = await startHub();
  await (await Workers.start(first, seededRandom())).work(30);
  await first.close();
  const hub = await startHub({ db: first.db });
  const db = new BetterSqlite(hub.db);
  db.exec("DELETE FROM coordination_log WHERE seq < 5");
  db.close();
  const socket = await RawSocket.greet(hub.wsUrl);
  const { events } = await socket.call("events", { after: "start", limit: 1 });
  expect(events[0]?.seq).toBe(5);
});

test("a socket that is connected and does not acknowledge is closed when the log is pruned past it", async () => {
  const clock = new ManualClock();
  const hub = await startHub({ clock, retention: { logMs: MINUTE } });
  const slow = await RawSocket.greet(hub.wsUrl);
  await flood(hub);
  expect(slow.pages.length).toBeGreaterThan(0);
  expect(slow.pages.length).toBeGreaterThan(0);
  await passTime(clock, 3 * MINUTE, slow);
  const { cursor } = slow.pages.at(-1) as { cursor: string };
  slow.ack(cursor);
  expect(await slow.closed).toEqual({ code: 4005, reason: "the log was pruned past your cursor" });
  expect(await RawSocket.greet(hub.wsUrl, { resume: cursor })).toMatchObject({
    welcome: { resumed: false, reason: "pruned" },
  });
});

test("the SDK tells a resync, then what waits as it is", async () => {
  const { clock, hub, origin } = await startPruned();
  const socket = await RawSocket.greet(hub.wsUrl);
  await passTime(clock, 3 * MINUTE, socket);
  const bob = await join(hub.url, { as: "bob", resume: origin });
  const [resyncs, heard] = [new Heard(bob, "resync"), new Heard(bob, "new")];
  const [resync] = await resyncs.count(1);
  expect(resync?.reason).toBe("pruned");
  const waiting = await socket.call("list", { to_claude: "bob", status: "pending", limit: 500 });
  expect(waiting.count).toBeGreaterThan(0);
  expect((await heard.count(waiting.count)).map(({ message }) => message)).toEqual(waiting.messages);
});

/** More than a window and the memory's tail hold. */
async function flood(hub: TestHub): Promise<void> {
  const socket = await RawSocket.greet(hub.wsUrl, { claude_id: "ada" });
  const said = { to_claude: "bob", type: "chat", task: "t", context: "c".repeat(500_000) } as const;
  for (let i = 0; i < 32; i++) await socket.call("send", said);
}
