/** What a store knows, it knows again after opening the file anew. */
import { copyFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { ManualClock } from "../../../../support/clock.ts";
import { tempDir } from "../../../../support/tempDir.ts";
import { MINUTE, name, run, SECOND } from "../../../core/support.ts";
import { expectInTime, JUMPS, timedTasks } from "../../conformance/clock.ts";
import { type StoreDriver, sending } from "../../driver.ts";
import { newFile, openStore } from "../files.ts";

describe("the same file, opened again", () => {
  test("tells the same state, log, counts and next wake", async () => {
    const [file, clock] = [newFile(), new ManualClock()];
    const first = await openStore(file, clock);
    const task = await first.send({ to_claude: "worker", context: "c", backoff_ms: 60_000 });
    await first.failRetryable(await first.claim(task, run("worker", "r1")), run("worker", "r1"));
    await first.complete(
      await first.claim(await first.send({ to_claude: "worker" }), name("worker")),
      name("worker"),
      "42",
    );
    await first.delete(await first.send({ to_claude: "worker" }));
    await first.send({ to_claude: "*", type: "chat" });
    await first.commit({ op: "delivered", reader: "worker", ids: [task.id] });
    const told = async (hub: StoreDriver) => ({
      list: await hub.list(),
      log: (await hub.log(null)).entries,
      counts: await hub.store.counts(),
      workload: await hub.store.workload(["worker", "*"]),
    });
    const before = await told(first);
    const wakeAt = Date.parse((await first.get(task))?.not_before as string);
    await first.close();
    const second = await openStore(file, clock);
    expect(await told(second)).toEqual(before);
    expect(second.opened).toMatchObject({ position: { head: before.list.seq, floor: 0 } });
    expect((await second.send({ to_claude: "worker" })).seq).toBe(before.list.seq + 1);
    clock.advance(wakeAt - 1_000 - clock.now());
    expect((await second.wake()).wakeAt).toBe(wakeAt);
  });

  test("knows keys and claims: repeats get the first answer", async () => {
    const [file, clock, worker] = [newFile(), new ManualClock(), run("worker", "r1")];
    const first = await openStore(file, clock);
    const sent = await first.send({ to_claude: "worker" }, "k");
    const held = await first.claimNext(worker, "worker", "ck");
    await first.close();
    const second = await openStore(file, clock);
    expect((await second.send({ to_claude: "worker" }, "k")).id).toBe(sent.id);
    await expect(second.send({ to_claude: "other" }, "k")).rejects.toMatchObject({ code: "idempotency_conflict" });
    expect(await second.claimNext(worker, "worker", "ck")).toEqual(held);
    expect(await second.complete(held as never, worker, "42")).toMatchObject({ status: "complete" });
  });

  test("gives no place in the lists again", async () => {
    const file = newFile();
    const first = await openStore(file);
    const sent = [await first.send({ to_claude: "worker" }), await first.send({ to_claude: "worker" })];
    const { next } = await first.list({ limit: 1 });
    for (const gone of sent) await first.delete(gone);
    await first.close();
    const second = await openStore(file);
    const late = await second.send({ to_claude: "worker" });
    expect((await second.list({ next: next as string })).messages).toEqual([late]);
  });

  test("gives the tasks of runs that do not come back an end, and keeps those that do", async () => {
    const [file, clock] = [newFile(), new ManualClock()];
    const first = await openStore(file, clock);
    const [back, gone] = [run("worker", "r1"), run("worker", "r2")];
    const [kept, lost] = [await first.send({ to_claude: "worker" }), await first.send({ to_claude: "worker" })];
    await first.claim(kept, back);
    await first.claim(lost, gone);
    await first.close();
    const second = await openStore(file, clock);
    await second.commit({ op: "lapse", forMs: MINUTE });
    await second.commit({ op: "keep", holder: { claude_id: "worker", run: "r1" } });
    clock.advance(MINUTE);
    expect((await second.wake()).entries.map(({ id, kind }) => [id, kind])).toEqual([[lost.id, "requeued"]]);
    expect(await second.get(kept)).toMatchObject({ status: "in_progress" });
  });

  const closedWhile = async (jump: (clock: ManualClock) => void) => {
    const [file, clock] = [newFile(), new ManualClock()];
    const first = await openStore(file, clock);
    const tasks = await timedTasks(first);
    await first.close();
    jump(clock);
    const second = await openStore(file, clock);
    expect((await second.wake()).entries).toEqual([]);
    return { tasks, second };
  };

  test.each([...Object.entries(JUMPS), ["an hour later", (clock: ManualClock) => clock.advance(60 * MINUTE)] as const])(
    "finds as much left of every deadline, its clock %s",
    async (_, jump) => {
      const { second, tasks } = await closedWhile(jump);
      await expectInTime(second, tasks);
    },
  );

  test("knows that what was waited for was complete, though it was deleted while much was to be settled", async () => {
    const file = newFile();
    const first = await openStore(file);
    const [doomed, awaited] = [await first.send({ to_claude: "worker" }), await first.send({ to_claude: "worker" })];
    const others = Array.from({ length: 600 }, () => sending({ to_claude: "worker", after: [doomed.id] }));
    await first.commit(...others);
    const waiter = await first.send({ to_claude: "worker", after: [awaited.id] });
    const by = name("worker");
    await first.commit(
      { op: "change", caller: by, id: doomed.id, command: { op: "cancel" } },
      { op: "change", caller: by, id: awaited.id, command: { op: "complete" } },
      { op: "delete", caller: by, id: awaited.id },
    );
    await first.close();
    const second = await openStore(file);
    await second.wake();
    expect(await second.get(waiter)).toMatchObject({ status: "pending" });
    expect(await second.claimNext(by)).toMatchObject({ id: waiter.id });
  });

  test("counts the time of a quick restart: hubs that are killed again and again let leases end", async () => {
    const { second, tasks } = await closedWhile((clock) => clock.advance(9 * SECOND));
    await expectInTime(
      second,
      tasks.map(([due, task, kind]) => [due - 9 * SECOND, task, kind]),
    );
  });

  /** Lets it live for so long, woken at first and when it wants to be. @returns the kinds of what it told. */
  const live = async (hub: StoreDriver, ms: number) => {
    const end = hub.now + ms;
    const told: string[] = [];
    for (let at: number | null = hub.now; at !== null && at <= end; at = hub.wakeAt) {
      hub.clock.advance(Math.max(0, at - hub.now));
      told.push(...(await hub.wake()).entries.map(({ kind }) => kind));
    }
    hub.clock.advance(end - hub.now);
    return told;
  };

  test.each([2, 5, 8])("also in a hub that is quiet and killed every %i seconds", async (seconds) => {
    const [file, clock] = [newFile(), new ManualClock()];
    let hub = await openStore(file, clock);
    const worker = run("worker", "r1");
    await hub.claim(await hub.send({ to_claude: "worker", timeout_ms: 20 * SECOND }), worker);
    const since = hub.now;
    while (!(await live(hub, seconds * SECOND)).includes("requeued")) {
      expect(hub.now - since).toBeLessThanOrEqual(20 * SECOND);
      await hub.close();
      clock.advance(3 * SECOND);
      hub = await openStore(file, clock);
    }
  });

  test("and no other time than that, however long the hub was idle before", async () => {
    const [file, clock] = [newFile(), new ManualClock()];
    const first = await openStore(file, clock);
    const held = await first.claim(await first.send({ to_claude: "worker" }), run("worker", "r1"));
    await first.change(held, { op: "extend", attempt: 1, lease_ms: 3 * MINUTE }, run("worker", "r1"));
    const before = await first.get(held);
    await live(first, 2 * MINUTE);
    await first.close();
    clock.advance(2 * SECOND);
    const second = await openStore(file, clock);
    await second.wake();
    expect(await second.get(held)).toEqual(before);
  });

  test("knows who was there, since when and until when: who was connected, for as long as the hub", async () => {
    const [file, clock] = [newFile(), new ManualClock()];
    const first = await openStore(file, clock);
    const at = clock.now();
    clock.advance(10);
    const transitions = [
      { claude_id: "a", state: "online", at },
      { claude_id: "b", state: "online", at },
      { claude_id: "a", state: "heartbeat", at: at + 5, beat_ms: 30_000 },
      { claude_id: "b", state: "offline", at: at + 7 },
      { claude_id: "c", state: "heartbeat", at: at + 9, beat_ms: 0 },
      { claude_id: "d", state: "stale", at: at + 10, seen: at + 8 },
      { claude_id: "e", state: "heartbeat", at, beat_ms: 0 },
      { claude_id: "e", state: "online", at: at + 10 },
      { claude_id: "b", state: "about", at: at + 10, about: { host: "h" } },
    ] as const;
    await first.commit({ op: "presence", transitions });
    const expectKnown = async (thereUntil: number) =>
      expect((await openStore(copied(file), clock)).opened.instances).toEqual([
        { claude_id: "a", state: "online", since: at, last_seen: at + 5, beat_ms: 30_000, about: null },
        {
          claude_id: "b",
          state: "offline",
          since: at + 7,
          last_seen: at + 7,
          beat_ms: null,
          about: { host: "h" },
        },
        { claude_id: "c", state: "online", since: at + 9, last_seen: at + 9, beat_ms: 0, about: null },
        { claude_id: "d", state: "stale", since: at + 10, last_seen: at + 8, beat_ms: null, about: null },
        { claude_id: "e", state: "online", since: at + 10, last_seen: thereUntil, beat_ms: null, about: null },
      ]);
    await expectKnown(at + 10);
    clock.advance(1_000);
    await first.commit({ op: "note_time" });
    clock.advance(60_000);
    await expectKnown(at + 1_010);
    clock.step(-60_500);
    await expectKnown(at + 510); // nobody was seen in a time to come
    expect([first.opened.thereUntil, (await openStore(copied(file))).opened.thereUntil]).toEqual([null, at + 1_010]);
  });
});

describe("the epoch", () => {
  const epochOf = async (file: string) => {
    const hub = await openStore(file);
    await hub.close();
    return hub.opened.position.epoch;
  };

  test("is random for every new file, and stays with it", async () => {
    const [a, b] = [newFile(), newFile()];
    const [first, other] = [await epochOf(a), await epochOf(b)];
    expect(first).toMatch(/^[0-9a-f]{12}$/);
    expect(other).not.toBe(first);
    expect([await epochOf(a), await epochOf(b)]).toEqual([first, other]);
  });

  test("stays when the hub ended without a word", async () => {
    const file = newFile();
    const hub = await openStore(file);
    await hub.send({ to_claude: "worker" });
    const copy = copied(file); // as a kill leaves it: the log is in the -wal file only
    expect((await openStore(copy)).opened.position).toEqual({ ...hub.opened.position, head: 1 });
  });

  test("is new when the file was put back to an older state", async () => {
    const file = newFile();
    const epoch = await epochOf(file);
    const hub = await openStore(file);
    await hub.send({ to_claude: "worker" });
    await hub.close();
    const older = join(tempDir(), "older.db");
    copyFileSync(file, older);
    const later = await openStore(file);
    await later.send({ to_claude: "worker" });
    await later.close();
    copyFileSync(older, file);
    const rolledBack = await openStore(file);
    expect(rolledBack.opened.position).toMatchObject({ head: 1 });
    expect(rolledBack.opened.position.epoch).not.toBe(epoch);
    await rolledBack.close();
    expect(await epochOf(file)).toBe(rolledBack.opened.position.epoch);
  });

  test("is new when the file came from elsewhere: nobody can vouch for its past", async () => {
    const [file, moved] = [newFile(), newFile()];
    const epoch = await epochOf(file);
    copyFileSync(file, moved);
    expect(await epochOf(moved)).not.toBe(epoch);
    expect(await epochOf(file)).toBe(epoch);
  });
});

/** A copy of the database and all that lies beside it. */
function copied(file: string): string {
  const copy = newFile();
  for (const suffix of ["", "-wal", ".hub-lock"]) copyFileSync(file + suffix, copy + suffix);
  return copy;
}
