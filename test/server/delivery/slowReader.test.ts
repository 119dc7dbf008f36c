/** A reader that is slow costs a page and a window, delays nobody, and misses nothing. */
import { describe, expect, test } from "vitest";
import type { Page } from "../../../shared/event.ts";
import { LIMITS } from "../../../shared/limits.ts";
import { startHub, type TestHub } from "../../support/hub.ts";
import { seededRandom } from "../../support/random.ts";
import { RawSocket } from "../../support/rawSocket.ts";
import { chat, expected, Follower, HeldLog, NOBODY } from "./heldLog.ts";

describe("the window", () => {
  test.each([
    ["live", 0],
    ["catching up", 40],
  ])("of a session that is %s is never exceeded by more than a page", async (_, old) => {
    const random = seededRandom();
    const chats = (count: number) => Array.from({ length: count }, () => chat("ada", "bob"));
    for (let round = 0; round < 20; round++) {
      const log = await HeldLog.start(chats(old));
      const window = { events: 1 + random.int(8), bytes: 300 + random.int(3_000) };
      const follower = new Follower(log, { reader: "bob", cursor: 0, pageEvents: 1 + random.int(5), window });
      for (let i = 0; i < 40; i++) {
        await log.commitAndAnnounce(...chats(1 + random.int(3)));
        if (random.next() < 0.5) await log.drain();
        if (random.next() < 0.3) follower.ack(random.int(follower.cursor + 1));
      }
      await follower.catchUp(log);
      expect(follower.problems).toEqual([]);
      expect(follower.entries.map(({ json }) => json)).toEqual(await expected(log, follower));
    }
  });

  test("that is full stays shut until something is acknowledged, whatever is committed", async () => {
    const log = await HeldLog.start();
    const follower = new Follower(log, { reader: "bob", cursor: 0, window: { events: 2, bytes: 1_000_000 } });
    for (let i = 0; i < 10; i++) await log.commitAndAnnounce(chat("ada", "bob"));
    expect([follower.entries.length, follower.session.state]).toEqual([2, "behind"]);
    log.delivery.position(follower.session);
    expect(follower.pages.slice(2)).toMatchObject([{ after: 2, upTo: 2, entries: [] }]); // and yet a sign of life
    follower.ack(1);
    expect(follower.entries.length).toBe(10); // one place is free: a page goes out, and it holds all of the rest
    expect(follower.session.state).toBe("behind");
    follower.ack();
    expect(follower.session.state).toBe("live");
  });

  test.each([
    ["x", 1_500],
    ["語", 500],
  ])("bounds bytes as well as events, of %s", async (character, count) => {
    const log = await HeldLog.start();
    const follower = new Follower(log, { reader: "bob", cursor: 0, window: { events: 1_000, bytes: 2_000 } });
    for (let i = 0; i < 10; i++) await log.commitAndAnnounce(chat("ada", "bob", character.repeat(count)));
    expect(follower.entries.length).toBe(2);
  });

  test("does not matter to an empty page", async () => {
    const log = await HeldLog.start();
    const follower = new Follower(log, { reader: "bob", cursor: 0, window: { events: 1, bytes: 1 } });
    await log.commitAndAnnounce(chat("ada", "cyd"));
    log.delivery.position(follower.session);
    expect(follower.pages).toMatchObject([{ after: 0, upTo: 1, entries: [] }]);
    await log.commitAndAnnounce(chat("ada", "bob"));
    expect(follower.entries.length).toBe(1);
  });
});

describe("a page", () => {
  test.each(["x", "語"])("holds no more bytes than a page may, but always an event, of %s", async (character) => {
    const big = character.repeat(LIMITS.task_bytes / Buffer.byteLength(character));
    const log = await HeldLog.start();
    const live = new Follower(log, { reader: "bob", cursor: 0, window: { events: 1_000, bytes: 100_000_000 } });
    await log.commitAndAnnounce(...Array.from({ length: 40 }, () => chat("ada", "bob", big)));
    expect(live.pages.length).toBeGreaterThan(2);
    for (const { json } of live.pages) expect(Buffer.byteLength(json)).toBeLessThan(LIMITS.page_bytes + 1_000);
    expect(live.entries.length).toBe(40);
    expect(live.problems).toEqual([]);
  });

  test("is made once for all readers with the same view and cursor", async () => {
    const log = await HeldLog.start();
    const readers = ["bob", "bob", null, null].map((reader) => new Follower(log, { reader, cursor: 0 }));
    await log.commitAndAnnounce(chat("ada", "bob"), chat("ada", "cyd"));
    const [bob, alsoBob, observer, alsoObserver] = readers.map(({ pages }) => pages[0]);
    expect(bob).toBe(alsoBob);
    expect(observer).toBe(alsoObserver);
    expect([bob?.entries.length, observer?.entries.length]).toEqual([1, 2]);
  });
});

test("what was deleted is erased also from the part of the log that is kept in memory", async () => {
  const log = await HeldLog.start();
  await log.commitAndAnnounce(chat("ada", "bob", "secret"), chat("ada", "bob", "open"));
  await log.commitAndAnnounce({ op: "delete", caller: NOBODY, id: "1" });
  const follower = new Follower(log, { reader: "bob", cursor: 0 });
  expect(log.reads).toEqual([]); // nothing had to be read
  const told = follower.entries.map(({ json }) => json);
  expect(told).toEqual(await expected(log, follower));
  expect(told.join()).toContain(`"erased":true`);
  expect(told.join()).not.toContain("secret");
});

describe("an acknowledgement", () => {
  const ids = async (receives: boolean, reader: string | null) => {
    const log = await HeldLog.start();
    const follower = new Follower(log, { reader, cursor: 0, receives });
    await log.commitAndAnnounce(chat("ada", "bob"), chat("bob", "ada"), chat("ada", "*"), chat("bob", "bob"));
    return [follower.ack(), follower.ack()];
  };

  test("delivers what is new for the reader, and what others sent to everyone, once", async () => {
    expect(await ids(true, "bob")).toEqual([["1", "3", "4"], []]);
    expect(await ids(true, "ada")).toEqual([["2"], []]);
  });

  test("delivers nothing to an observer, or to a reader that did not say that it receives", async () => {
    expect(await ids(true, null)).toEqual([[], []]);
    expect(await ids(false, "bob")).toEqual([[], []]);
  });
});

/** A client that looks at pages as they come. */
class Watcher {
  readonly seqs: number[] = [];
  acknowledges: boolean;
  readonly socket: RawSocket;
  #cursor: string;
  #seen = 0;

  private constructor(socket: RawSocket, cursor: string, acknowledges: boolean) {
    this.socket = socket;
    this.#cursor = cursor;
    this.acknowledges = acknowledges;
    socket.ws.on("message", () => this.#look());
  }

  static async start({ wsUrl }: TestHub, acknowledges: boolean): Promise<Watcher> {
    const socket = await RawSocket.greet(wsUrl, { claude_id: "watcher" });
    return new Watcher(socket, socket.welcome.cursor, acknowledges);
  }

  ack(): void {
    this.socket.ack(this.#cursor);
  }

  reaches(count: number): Promise<unknown> {
    return this.socket.until(`${count} events`, () => {
      this.#look();
      return this.seqs.length >= count;
    });
  }

  #look(): void {
    const fresh = this.socket.received.slice(this.#seen);
    this.#seen += fresh.length;
    for (const { method, params } of fresh) {
      if (method !== "events") continue;
      const { after, cursor, events } = params as Page;
      expect(after).toBe(this.#cursor);
      this.#cursor = cursor;
      for (const { seq } of events) this.seqs.push(seq);
      if (this.acknowledges) this.ack();
    }
  }
}

const EVENTS = 20_000;
const BATCH = 500;

test(`sockets that do not read, or do not acknowledge, miss nothing of ${EVENTS} events, and delay nobody`, async () => {
  const hub = await startHub();
  const [deaf, mute, attentive] = await Promise.all([
    Watcher.start(hub, false),
    Watcher.start(hub, false),
    Watcher.start(hub, true),
  ]);
  deaf.socket.pause();
  const writer = await RawSocket.greet(hub.wsUrl, { claude_id: "writer" });
  const params = { to_claude: "watcher", task: "something of the usual length", type: "chat" };
  for (let sent = 0; sent < EVENTS; sent += BATCH) {
    writer.send(Array.from({ length: BATCH }, (_, i) => ({ jsonrpc: "2.0", id: sent + i, method: "send", params })));
    await writer.answer(sent);
  }
  await attentive.reaches(EVENTS);
  expect(mute.seqs.length).toBeGreaterThanOrEqual(LIMITS.window_events);
  expect(mute.seqs.length).toBeLessThan(LIMITS.window_events + LIMITS.page_events);
  expect(deaf.seqs).toEqual([]);
  for (const slow of [mute, deaf]) {
    slow.acknowledges = true;
    slow.ack();
    slow.socket.resume();
    await slow.reaches(EVENTS);
    expect(slow.seqs).toEqual(attentive.seqs);
  }
});
