/** The index by which the log is read: it holds whole blocks of it, whatever happens to the file meanwhile. */
import { expect, test } from "vitest";
import { indexedUpTo } from "../../../../../server/store/sqlite/tables/logIndex.ts";
import { type StoreDriver, sending } from "../../driver.ts";
import { pruneAll } from "../../pruning.ts";
import { fileOfSchema, inside, look, newFile, openStore } from "../files.ts";

/** Sends so many chats around, in batches of so many. */
async function send(hub: StoreDriver, count: number, batch: number): Promise<void> {
  const from = hub.live.length;
  for (let sent = 0; sent < count; sent += batch) {
    const chats = Array.from({ length: Math.min(batch, count - sent) }, (_, i) => chat(from + sent + i));
    await hub.commit(...chats);
  }
}

const chat = (serial: number) =>
  sending({ from_claude: `a${serial % 3}`, to_claude: ["a0", "@pool", "*"][serial % 5] ?? "b", type: "chat" });

type Row = [name: string, seq: number, isSender: number];

function rows(file: string): Row[] {
  const all = "SELECT name, seq, is_sender FROM coordination_log_index ORDER BY seq, name";
  return look(file, (db) => db.prepare(all).raw().all() as Row[]);
}

/** What the index of a log should hold, from its entries. */
function expected(file: string): Row[] {
  const all = "SELECT seq, from_claude, to_claude FROM coordination_log ORDER BY seq";
  const entries = look(file, (db) => db.prepare(all).raw().all() as [number, string, string][]);
  const end = indexedUpTo(entries.at(-1)?.[0] ?? 0);
  return entries
    .filter(([seq]) => seq <= end)
    .flatMap(([seq, from, to]): Row[] => [[to, seq, 0], ...(from === to ? [] : ([[from, seq, 1]] as Row[]))])
    .sort(([a, x], [b, y]) => x - y || (a < b ? -1 : 1));
}

test.each([1, 10, 64, 300])("in batches of %i: whole blocks, each once", async (batch) => {
  const file = newFile();
  const hub = await openStore(file);
  await send(hub, 300, batch);
  expect(rows(file)).toEqual(expected(file));
  expect(rows(file).at(-1)?.[1]).toBe(256);
});

test("over a restart, and a batch that is undone while it fills a block", async () => {
  const file = newFile();
  const first = await openStore(file);
  await send(first, 500, 50);
  await first.close();
  const second = await openStore(file);
  inside(file, (db) =>
    db.exec(`CREATE TRIGGER no BEFORE INSERT ON coordination_log_index WHEN new.seq = 512
      BEGIN SELECT RAISE(ABORT, 'no'); END`),
  );
  const before = rows(file);
  await expect(send(second, 30, 30)).rejects.toMatchObject({ code: "storage_unavailable" });
  inside(file, (db) => db.exec("DROP TRIGGER no"));
  expect(rows(file)).toEqual(before);
  await send(second, 30, 10);
  expect(second.head).toBe(530);
  expect(rows(file)).toEqual(expected(file));
  expect(rows(file).at(-1)?.[1]).toBe(512);
});

test("what is pruned from the log leaves the index", async () => {
  const file = newFile();
  const hub = await openStore(file);
  await send(hub, 700, 100);
  hub.clock.advance(1);
  const cut = hub.now;
  await send(hub, 700, 100);
  await pruneAll(hub, { log_before: cut });
  expect(rows(file)[0]?.[1]).toBe(701);
  expect(rows(file)).toEqual(expected(file));
});

test("what somebody deletes from the middle of the log is missed by nobody", async () => {
  const file = newFile();
  const hub = await openStore(file);
  await send(hub, 600, 100);
  inside(file, (db) => db.exec("DELETE FROM coordination_log WHERE seq BETWEEN 100 AND 149"));
  const left = hub.live.filter(({ seq }) => seq < 100 || seq > 149);
  const read: number[] = [];
  for (let after = 0; after < hub.head; ) {
    const { entries, upTo } = await hub.log("a0", after, 20);
    read.push(...entries.map(({ seq }) => seq));
    after = upTo;
  }
  expect(read).toEqual(left.filter(({ from, to }) => from === "a0" || ["a0", "*"].includes(to)).map(({ seq }) => seq));
});

test("a log whose end somebody took away goes on from there, and messages are counted anew", async () => {
  const file = newFile();
  const first = await openStore(file);
  await send(first, 600, 100);
  await first.close();
  inside(file, (db) => db.exec("DELETE FROM coordination_log WHERE seq > 500"));
  const second = await openStore(file);
  expect(await second.store.counts()).toMatchObject({ pending: 600 });
  await send(second, 600, 100);
  expect(rows(file)).toEqual(expected(file));
  expect(await second.store.counts()).toMatchObject({ pending: 1_200 });
});

test("a log from before there was the index is in it once its file is opened, and goes on", async () => {
  const file = fileOfSchema(11, (db) => {
    db.exec(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 600)
      INSERT INTO coordination_log SELECT i, 'new', 'm' || i, 'a' || (i % 2), 'a' || (i % 3), '{}' FROM n`);
    db.exec("UPDATE coordination_counts SET count = 7 WHERE status = 'complete'");
  });
  const hub = await openStore(file);
  expect(rows(file)).toEqual(expected(file));
  expect(await hub.store.counts()).toEqual({ pending: 0, in_progress: 0, complete: 7, failed: 0 });
  await send(hub, 500, 100);
  expect(rows(file)).toEqual(expected(file));
  expect(rows(file).at(-1)?.[1]).toBe(1_088);
});
