/** A full disk: reads go on, writes get one stable error, nothing acknowledged is lost, and room is enough to go on. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { HubError } from "../../../../../shared/errors.ts";
import { name, run } from "../../../core/support.ts";
import { type StoreDriver, sending } from "../../driver.ts";
import { comparable, countsOf, folded } from "../../fold.ts";
import { look, openThread } from "../files.ts";
import { requiresTinyDisks, tinyDisk } from "./tinyDisk.ts";

const LARGE = { to_claude: "worker", context: "x".repeat(20_000) };

/** Sends until the disk is full. @returns the ids that were acknowledged. */
async function fill(hub: StoreDriver): Promise<string[]> {
  const acknowledged: string[] = [];
  for (let i = 0; i < 10_000; i++) {
    try {
      acknowledged.push((await hub.send(LARGE, `k${i}`)).id);
    } catch (error) {
      expect(error).toMatchObject({ code: "storage_full", message: "The hub's disk is full: nothing was changed" });
      expect((error as HubError).retryable).toBe(true);
      return acknowledged;
    }
  }
  throw new Error("the disk was never full");
}

async function expectWhole(hub: StoreDriver, acknowledged: readonly string[]) {
  const messages = await hub.all();
  expect(messages.map(({ id }) => id)).toEqual(acknowledged);
  expect(await hub.store.counts()).toEqual(countsOf(messages));
  expect(await hub.store.workload(["worker"])).toMatchObject([{ waiting: countsOf(messages).pending }]);
  const events = await hub.events(null);
  expect(events.map(({ seq }) => seq)).toEqual(events.map((_, i) => i + 1));
  expect(folded([], events)).toEqual(comparable(messages));
}

describe("a full disk", () => {
  requiresTinyDisks();

  test("reads go on, writes are refused, and with room again all goes on without a restart", async () => {
    const disk = tinyDisk("2m");
    const hub = await openThread(join(disk.folder, "hub.db"));
    const first = await hub.send({ to_claude: "worker" });
    const acknowledged = [first.id, ...(await fill(hub))];
    expect(acknowledged.length).toBeGreaterThan(20);

    for (let i = 0; i < 3; i++) {
      await expect(hub.send(LARGE)).rejects.toMatchObject({ code: "storage_full" });
      await expectWhole(hub, acknowledged);
      expect(await hub.get(first)).toEqual(first);
    }

    disk.grow("64m");
    const sent = await hub.send(LARGE, "after");
    expect(sent.seq).toBe(acknowledged.length + 1);
    expect(await hub.claim(first, name("worker"))).toMatchObject({ status: "in_progress", attempt: 1 });
    await expectWhole(hub, [...acknowledged, sent.id]);
    await hub.close();
    await expectWhole(await openThread(join(disk.folder, "hub.db")), [...acknowledged, sent.id]);
  });

  test("a batch that found it full has left nothing in memory: no key used up, no task claimed", async () => {
    const disk = tinyDisk("1m");
    const hub = await openThread(join(disk.folder, "hub.db"));
    const { id } = await hub.send({ to_claude: "worker" });
    const refusedKey = `k${(await fill(hub)).length}`;
    const claim = { op: "change", id, caller: run("worker", "r1"), command: { op: "claim" } } as const;
    await expect(hub.commit(claim, sending(LARGE))).rejects.toMatchObject({ code: "storage_full" });
    disk.grow("64m");
    expect(await hub.outcome(sending(LARGE, refusedKey))).toMatchObject({ deduplicated: false });
    expect(await hub.claim({ id }, run("worker", "r2"))).toMatchObject({ attempt: 1, tries_left: 2 });
  });

  test("a hub on it can be closed, started again for reading, and go on once there is room", async () => {
    const disk = tinyDisk("1m");
    const file = join(disk.folder, "hub.db");
    const hub = await openThread(file);
    const acknowledged = await fill(hub);
    await hub.close();
    const again = await openThread(file);
    await expectWhole(again, acknowledged);
    disk.grow("64m");
    const sent = await again.send(LARGE, "after");
    await expectWhole(again, [...acknowledged, sent.id]);
  });

  test("a first start on it says what is wrong, and leaves nothing in the way of the next", async () => {
    const disk = tinyDisk("1m");
    const file = join(disk.folder, "hub.db");
    fillUp(disk.folder);
    await expect(openThread(file)).rejects.toThrow(/^no space is left on the disk of .*hub.db.*: free some first$/);
    disk.grow("64m");
    const hub = await openThread(file);
    expect(await hub.send({ to_claude: "worker" })).toMatchObject({ seq: 1 });
    expect(look(file, (db) => db.pragma("auto_vacuum", { simple: true }))).toBe(2);
  });
});

describe("a disk that cannot be written", () => {
  requiresTinyDisks();

  test.each(["there already", "not there yet"])("is named at the start, with a database that is %s", async (which) => {
    const disk = tinyDisk("1m");
    const file = join(disk.folder, "hub.db");
    if (which === "there already") await (await openThread(file)).close();
    disk.freeze();
    await expect(openThread(file)).rejects.toThrow(/hub\.db(\.hub-lock)? cannot be opened and written/);
  });
});

/** Takes the last byte of a disk. */
function fillUp(folder: string): void {
  for (let piece = 65_536; piece >= 1; piece = Math.floor(piece / 2)) {
    for (let full = false; !full; ) {
      try {
        writeFileSync(join(folder, "filler"), Buffer.alloc(piece), { flag: "a" });
      } catch (error) {
        expect(error).toMatchObject({ code: "ENOSPC" });
        full = true;
      }
    }
  }
}
