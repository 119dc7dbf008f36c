/** Under which names the log can be read: noted for whole blocks of it, whatever happens to the file meanwhile. */
import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { notedUpTo } from "../../../../../server/store/sqlite/tables/logNames.ts";
import { repository } from "../../../../support/repository.ts";
import { type StoreDriver, sending } from "../../driver.ts";
import { pruneAll } from "../../pruning.ts";
import { inside, look, newFile, openStore } from "../files.ts";

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

type Noted = [name: string, seq: number, sent: number];

function noted(file: string): Noted[] {
  const all = "SELECT name, seq, sent FROM coordination_log_names ORDER BY seq, name";
  return look(file, (db) => db.prepare(all).raw().all() as Noted[]);
}

/** What should be noted of a log, from its entries. */
function expected(file: string): Noted[] {
  const all = "SELECT seq, from_claude, to_claude FROM coordination_log ORDER BY seq";
  const entries = look(file, (db) => db.prepare(all).raw().all() as [number, string, string][]);
  const end = notedUpTo(entries.at(-1)?.[0] ?? 0);
  return entries
    .filter(([seq]) => seq <= end)
    .flatMap(([seq, from, to]): Noted[] => [[to, seq, 0], ...(from === to ? [] : ([[from, seq, 1]] as Noted[]))])
    .sort(([a, x], [b, y]) => x - y || (a < b ? -1 : 1));
}

test.each([1, 100, 512, 1_500])("in batches of %i: whole blocks, each once", async (batch) => {
  const file = newFile();
  const hub = await openStore(file);
  await send(hub, 1_500, batch);
  expect(noted(file)).toEqual(expected(file));
  expect(noted(file).at(-1)?.[1]).toBe(1_024);
});

test("over restarts and batches that are undone", async () => {
  const file = newFile();
  const first = await openStore(file);
  await send(first, 500, 50);
  await first.close();
  const second = await openStore(file);
  const undone = [...Array.from({ length: 100 }, (_, i) => chat(i)), { op: "nonsense" } as never];
  await expect(second.commit(...undone)).rejects.toThrow();
  expect(noted(file)).toEqual([]);
  await send(second, 30, 10);
  expect(noted(file)).toEqual(expected(file));
  expect(noted(file).at(-1)?.[1]).toBe(512);
});

test("what is no longer in the log is no longer noted", async () => {
  const file = newFile();
  const hub = await openStore(file);
  await send(hub, 700, 100);
  hub.clock.advance(1);
  const cut = hub.now;
  await send(hub, 700, 100);
  await pruneAll(hub, { log_before: cut });
  expect(noted(file)[0]?.[1]).toBe(701);
  expect(noted(file)).toEqual(expected(file));
});

test("a log from before there were blocks is noted when its file is opened", async () => {
  const folder = `${repository}server/store/sqlite/migrations/`;
  const earlier = readdirSync(folder).filter((name) => name < "012");
  const file = newFile();
  inside(file, (db) => {
    for (const name of earlier) db.exec(readFileSync(folder + name, "utf8"));
    db.exec("CREATE TABLE coordination_meta (name TEXT PRIMARY KEY NOT NULL, value TEXT NOT NULL) STRICT");
    db.exec("INSERT INTO coordination_meta VALUES ('schema', '11')");
    db.exec(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 600)
      INSERT INTO coordination_log SELECT i, 'new', 'm' || i, 'a' || (i % 2), 'a' || (i % 3), '{}' FROM n`);
    db.exec("UPDATE coordination_counts SET count = 7 WHERE status = 'complete'");
  });
  const hub = await openStore(file);
  expect(noted(file)).toEqual(expected(file));
  expect(await hub.store.counts()).toEqual({ pending: 0, in_progress: 0, complete: 7, failed: 0 });
});
