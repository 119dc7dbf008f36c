/** However many are known, and whatever they tell of themselves, one answer is no larger than a page. */
import { describe, expect, test } from "vitest";
import { LIMITS } from "../../../shared/limits.ts";
import { PRESENCE_LIMITS, type Presence } from "../../../shared/presence.ts";
import { ManualClock } from "../../support/clock.ts";
import { crowd } from "../../support/crowd.ts";
import { http } from "../../support/http.ts";
import { startHub } from "../../support/hub.ts";
import { RawSocket } from "../../support/rawSocket.ts";
import { pass } from "../transport/pass.ts";

const bytesOf = (value: unknown) => Buffer.byteLength(JSON.stringify(value));

async function pagesOf(read: (next?: string) => Promise<Presence>): Promise<Presence[]> {
  const pages = [await read()];
  for (let { next } = pages[0] as Presence; next !== undefined; next = pages.at(-1)?.next) pages.push(await read(next));
  return pages;
}

test("everybody is in one of the pages, by name, each of which is as full as it can be", async () => {
  const hub = await startHub();
  const names = await crowd(hub.url, 500);
  const socket = await RawSocket.greet(hub.wsUrl);
  const readings = [
    await pagesOf((next) => socket.call("presence", { next })),
    await pagesOf(async (next) => (await http(`${hub.url}/presence${next ? `?next=${next}` : ""}`)).body.data),
  ];
  for (const pages of readings) {
    expect(pages.flatMap(({ instances }) => instances.map(({ claude_id }) => claude_id))).toEqual(names);
    const full = pages.slice(0, -1);
    expect(full.length).toBeGreaterThan(2);
    for (const page of pages) expect(bytesOf(page)).toBeLessThanOrEqual(LIMITS.page_bytes);
    for (const { instances, ...page } of full) {
      expect(page.next).toBe(instances.at(-1)?.claude_id);
      expect(bytesOf(instances)).toBeGreaterThan(LIMITS.page_bytes - 2 * bytesOf(instances[0]));
    }
    expect(pages.at(-1)).not.toHaveProperty("next");
  }
});

test("a page begins after a name, whether anybody has it or not", async () => {
  const hub = await startHub();
  for (const claude_id of ["a", "c", "e"]) await http(`${hub.url}/stats`, { headers: { "x-claude-id": claude_id } });
  const after = async (next: string) => {
    const { instances } = (await http(`${hub.url}/presence?next=${next}`)).body.data as Presence;
    return instances.map(({ claude_id }) => claude_id);
  };
  expect(await Promise.all(["A", "a", "b", "e", "f"].map(after))).toEqual([
    ["a", "c", "e"],
    ["c", "e"],
    ["c", "e"],
    [],
    [],
  ]);
});

describe("a listener", () => {
  const news = (socket: RawSocket) => socket.notifications("presence_changed") as { version: number }[];

  test("is told only that much has changed, when that takes more than a page", async () => {
    const clock = new ManualClock();
    const hub = await startHub({ clock });
    const listener = await RawSocket.greet(hub.wsUrl, { presence: true });
    const { version } = await listener.call("presence", {});
    await crowd(hub.url, 200);
    await pass(clock, 1_000);
    await listener.until("news", () => news(listener).length > 0);
    expect([news(listener), listener.notifications("presence")]).toEqual([[{ version: version + 1 }], []]);
  });

  test("that leaves much unread is told no more, and to read again when it has read that", async () => {
    const clock = new ManualClock();
    const hub = await startHub({ clock, liveness: { pingMs: 3_600_000 } }); // who answers late is not given up
    const [slow, prompt] = [
      await RawSocket.greet(hub.wsUrl, { presence: true }),
      await RawSocket.greet(hub.wsUrl, { presence: true }),
    ];
    slow.pause();
    const told = () => prompt.notifications("presence") as Presence[];
    const nextDiff = async () => {
      for (const before = told().length; told().length === before; ) await pass(clock, 1_000);
    };
    const about = { roles: Array.from({ length: 29 }, (_, i) => `${i}_`.padEnd(125, "r")) };
    const join = (_: unknown, i: number) => RawSocket.greet(hub.wsUrl, { claude_id: `${i}`, about });
    for (let round = 0; round < 20; round++) {
      const sockets = await Promise.all(Array.from({ length: 130 }, join));
      await nextDiff();
      await Promise.all(sockets.map((socket) => socket.close()));
      await nextDiff();
    }
    slow.resume();
    await slow.call("stats", {}); // comes after everything before it
    expect(news(slow)).toEqual([]);
    expect(slow.notifications("presence").length).toBeLessThan(told().length);
    const { version } = await prompt.call("presence", { claude_id: "0" });
    await pass(clock, 1_000);
    await slow.until("news", () => news(slow).length > 0);
    expect(news(slow)).toEqual([{ version }]);
    expect(news(prompt)).toEqual([]);
    await join(undefined, 0);
    await pass(clock, 1_000);
    await slow.until("a diff", () => (slow.notifications("presence").at(-1) as Presence).version > version);
  });
});

test("of one instance's connections the first are shown", async () => {
  const hub = await startHub();
  const about = { host: "h".repeat(250) };
  const join = () => RawSocket.greet(hub.wsUrl, { claude_id: "ada", about });
  for (let i = 0; i < PRESENCE_LIMITS.connections; i++) await join();
  const { instances } = await (await join()).call("presence", {});
  expect(instances[0]?.connections).toHaveLength(PRESENCE_LIMITS.connections);
});
