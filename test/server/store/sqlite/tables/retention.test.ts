/** Retention in a real file: its size, its space, the log's end over a restart, and files of before. */
import { statSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { FIRST_KEY } from "../../../../../server/store/storeCommands.ts";
import { ManualClock } from "../../../../support/clock.ts";
import { MINUTE, name } from "../../../core/support.ts";
import type { StoreDriver } from "../../driver.ts";
import { prune, pruneAll } from "../../pruning.ts";
import { inside, look, newFile, openStore } from "../files.ts";

const KB = 1024;
const MB = 1024 * KB;
const HOUR = 60 * MINUTE;

/** Tasks that were done, of about so many bytes each, a millisecond apart. @returns their ids. */
async function done(hub: StoreDriver, count: number, bytes: number): Promise<string[]> {
  const worker = name("worker");
  const ids: string[] = [];
  for (let i = 0; i < count; i++) {
    const task = await hub.send({ to_claude: "worker", context: "c".repeat(bytes) });
    await hub.complete(await hub.claim(task, worker), worker);
    hub.clock.advance(1);
    ids.push(task.id);
  }
  return ids;
}

/** Bytes of the file that are in use. */
const used = (file: string) =>
  look(file, (db) => {
    const pragma = (of: string) => db.pragma(of, { simple: true }) as number;
    return (pragma("page_count") - pragma("freelist_count")) * pragma("page_size");
  });

const listed = async (hub: StoreDriver) => (await hub.all()).map(({ id }) => id);

describe("a bound on the file's size", () => {
  test("lets what ended first go until the rest fits, with the log of its time", async () => {
    const [file, clock] = [newFile(), new ManualClock()];
    const hub = await openStore(file, clock);
    const ids = await done(hub, 40, 100 * KB);
    const waits = await hub.send({ to_claude: "worker", context: "c".repeat(100 * KB) });
    clock.advance(HOUR);
    const reports = await pruneAll(hub, { max_bytes: 2 * MB });
    expect(reports.at(-1)).toMatchObject({ size: "within", more: false });
    expect(used(file)).toBeLessThan(2 * MB);
    const left = await listed(hub);
    expect(left.length).toBeGreaterThan(8);
    expect(left).toEqual([...ids.slice(ids.length - left.length + 1), waits.id]);
    const { entries } = await hub.log(null, reports.at(-1)?.floor);
    expect(entries[0]?.seq).toBeGreaterThan(1);
    expect(entries.filter(({ kind }) => kind === "completed").map(({ id }) => id)).toEqual(
      expect.arrayContaining(left.slice(0, -1)),
    );
  });

  test("looks only at when it ended, not at how", async () => {
    const hub = await openStore(newFile());
    const ids: string[] = [];
    for (let i = 0; i < 130; i++) {
      const task = await hub.claim(await hub.send({ to_claude: "worker" }), name("worker"));
      ids.push((await (i % 2 ? hub.fail(task, name("worker")) : hub.complete(task, name("worker")))).id);
      hub.clock.advance(1);
    }
    hub.clock.advance(HOUR);
    await prune(hub, { max_bytes: 1 });
    expect(await listed(hub)).toEqual(ids.slice(100));
  });

  test("never takes what ended within the last hour", async () => {
    const hub = await openStore(newFile());
    const task = await hub.claim(await hub.send({ to_claude: "worker", context: "c".repeat(MB) }), name("worker"));
    const { id } = await hub.complete(task, name("worker"));
    hub.clock.advance(HOUR);
    expect(await pruneAll(hub, { max_bytes: KB })).toMatchObject([{ size: "over", messages: 0, entries: 0 }]);
    expect(await listed(hub)).toEqual([id]);
  });

  test("never takes what has not ended, nor the log's last hour, and says that it cannot be kept", async () => {
    const hub = await openStore(newFile());
    const waits = await hub.send({ to_claude: "worker", context: "c".repeat(MB) });
    hub.clock.advance(HOUR);
    const waitsToo = await hub.send({ to_claude: "worker" });
    const last = await hub.send({ to_claude: "worker" });
    hub.clock.advance(HOUR - 1);
    const reports = await pruneAll(hub, { max_bytes: 100 * KB });
    expect(reports.at(-1)).toMatchObject({ size: "over", more: false, floor: waits.seq });
    expect(await listed(hub)).toEqual([waits, waitsToo, last].map(({ id }) => id));
  });

  test("does not count in a file that holds an application's tables, whose space is not given back either", async () => {
    const file = newFile();
    inside(file, (db) => db.exec("PRAGMA auto_vacuum = 2; CREATE TABLE etf (symbol TEXT)"));
    const hub = await openStore(file);
    const ids = await done(hub, 12, 200 * KB);
    expect(await pruneAll(hub, { max_bytes: KB })).toMatchObject([{ size: "foreign", messages: 0 }]);
    expect(await listed(hub)).toEqual(ids);
    const reports = await pruneAll(hub, { complete_before: hub.now });
    expect(reports.every(({ pages }) => pages === 0)).toBe(true);
  });
});

test("space is given back to the file system, in portions, but for some that is needed again", async () => {
  const [file, clock] = [newFile(), new ManualClock()];
  const hub = await openStore(file, clock);
  await done(hub, 20, 500 * KB);
  const reports = await pruneAll(hub, { complete_before: clock.now() });
  const given = reports.map(({ pages }) => pages).filter((pages) => pages > 0);
  expect(given.length).toBeGreaterThan(10);
  expect(Math.max(...given)).toBeLessThanOrEqual(100);
  await hub.close();
  expect(statSync(file).size).toBeLessThan(2 * MB);
  expect(look(file, (db) => db.pragma("freelist_count", { simple: true }))).toBeGreaterThan(0);
  expect(look(file, (db) => db.pragma("integrity_check", { simple: true }))).toBe("ok");
});

test("a portion frees a bounded number of bytes, but always one message", async () => {
  const hub = await openStore(newFile());
  await done(hub, 3, 700 * KB);
  const reports = await pruneAll(hub, { complete_before: hub.now });
  expect(reports.map(({ messages }) => messages).filter((count) => count > 0)).toEqual([1, 1, 1]);
});

test("a pruned log ends where it ended and is the same log after a restart, as its floor is", async () => {
  const [file, clock] = [newFile(), new ManualClock()];
  const first = await openStore(file, clock);
  await done(first, 5, 1);
  await pruneAll(first, { complete_before: clock.now(), log_before: clock.now() + 1, keys_after: FIRST_KEY });
  const { epoch } = first.opened.position;
  const { head } = first;
  await first.close();
  const second = await openStore(file, clock);
  expect(second.opened.position).toEqual({ epoch, head, floor: head - 1 });
  expect((await second.send({ to_claude: "worker" })).seq).toBe(head + 1);
});

test("what goes takes its receipts along", async () => {
  const [file, clock] = [newFile(), new ManualClock()];
  const hub = await openStore(file, clock);
  await hub.commit({ op: "presence", transitions: [{ claude_id: "ada", state: "online", at: clock.now() }] });
  const [chat, kept] = [
    await hub.send({ to_claude: "*", type: "chat" }),
    await hub.send({ to_claude: "*", type: "chat" }),
  ];
  await hub.change(chat, { op: "complete" }, name("ada"));
  clock.advance(1);
  await pruneAll(hub, { complete_before: clock.now() });
  const ids = look(file, (db) => db.prepare("SELECT message_id FROM coordination_receipts").pluck().all());
  expect(ids).toEqual([kept.id]);
});

test("of a long history, a portion forgets a bounded part, and its instance last", async () => {
  const [file, clock] = [newFile(), new ManualClock()];
  const hub = await openStore(file, clock);
  const beats = (claude_id: string, count: number) =>
    Array.from({ length: count }, () => ({ claude_id, state: "heartbeat", at: clock.now() }) as const);
  await hub.commit({
    op: "presence",
    transitions: [
      ...beats("gone", 1_200),
      ...beats("there", 2),
      { claude_id: "gone", state: "offline", at: clock.now() },
    ],
  });
  const reports = await pruneAll(hub, { seen_before: clock.now() + 1 });
  expect(reports.map(({ instances, history }) => [instances.length, history])).toEqual([
    ...[
      [0, 500],
      [0, 500],
    ],
    [1, 201],
    [0, 0],
  ]);
  const rows = (table: string) => look(file, (db) => db.prepare(`SELECT claude_id FROM ${table}`).pluck().all());
  expect([rows("coordination_instances"), rows("coordination_presence")]).toEqual([["there"], ["there", "there"]]);
  await hub.close();
});
