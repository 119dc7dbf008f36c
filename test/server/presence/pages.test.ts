/** However many are known, and whatever they tell of themselves, one answer is no larger than a page. */
import { expect, test } from "vitest";
import { LIMITS } from "../../../shared/limits.ts";
import { PRESENCE_LIMITS, type Presence } from "../../../shared/presence.ts";
import { crowd } from "../../support/crowd.ts";
import { http } from "../../support/http.ts";
import { startHub } from "../../support/hub.ts";
import { RawSocket } from "../../support/rawSocket.ts";

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

test("of one instance's connections the first are shown", async () => {
  const hub = await startHub();
  const about = { host: "h".repeat(250) };
  const join = () => RawSocket.greet(hub.wsUrl, { claude_id: "ada", about });
  for (let i = 0; i < PRESENCE_LIMITS.connections; i++) await join();
  const { instances } = await (await join()).call("presence", {});
  expect(instances[0]?.connections).toHaveLength(PRESENCE_LIMITS.connections);
});
