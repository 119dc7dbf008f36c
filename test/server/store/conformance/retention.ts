/** Retention: what is no longer kept goes in portions and tells of it; the log loses its beginning and says so. */
import { expect, test } from "vitest";
import { floorOf } from "../../../../server/store/floor.ts";
import type { PresenceTransition, PruneCommand } from "../../../../server/store/storeCommands.ts";
import { FIRST_KEY } from "../../../../server/store/storeCommands.ts";
import type { Message } from "../../../../shared/message.ts";
import { MINUTE, name, run } from "../../core/support.ts";
import { parsed, type Said, type Section, type StoreDriver, sending } from "../driver.ts";
import { comparable, countsOf, folded } from "../fold.ts";
import { prune, pruneAll } from "../pruning.ts";

const DAY = 24 * 60 * MINUTE;

/** A task that was sent and done. */
async function done(hub: StoreDriver, worker: ReturnType<typeof run>, said: Said): Promise<Message> {
  return hub.complete(await hub.claim(await hub.send(said), worker), worker, "42");
}

/** One message in each place of its life; a minute passes after each. */
async function lives(hub: StoreDriver) {
  const [boss, worker] = [hub.newName("boss"), run(hub.newName("worker"), "r1")];
  const said = { from_claude: boss, to_claude: worker.claude_id };
  const next = async <T>(made: Promise<T>) => {
    const message = await made;
    hub.clock.advance(MINUTE);
    return message;
  };
  const failed = await next(hub.fail(await hub.claim(await hub.send(said), worker), worker));
  const complete = await next(done(hub, worker, said));
  const read = await next(hub.complete(await hub.send({ ...said, type: "chat" }), worker));
  const held = await next(hub.claim(await hub.send(said), worker));
  const waits = await next(hub.send(said));
  return { boss, worker, failed, complete, read, held, waits };
}

export const retention: Section = (hub) => {
  test("what ended before its cut-off goes, by status; what has not ended stays, whatever its age", async () => {
    const { boss, failed, complete, read, held, waits } = await lives(hub());
    const ids = async () => (await hub().all({ from_claude: boss })).map(({ id }) => id);
    expect(await prune(hub(), {})).toMatchObject({ messages: 0, entries: 0, more: false });
    expect(await prune(hub(), { complete_before: Date.parse(complete.completed_at as string) })).toMatchObject({
      messages: 0,
    });
    expect(await prune(hub(), { complete_before: Date.parse(read.completed_at as string) })).toMatchObject({
      messages: 1,
      more: true,
    });
    expect(await ids()).toEqual([failed, read, held, waits].map(({ id }) => id));
    await pruneAll(hub(), { complete_before: hub().now + 365 * DAY });
    expect(await ids()).toEqual([failed, held, waits].map(({ id }) => id));
    await pruneAll(hub(), { failed_before: hub().now + 365 * DAY });
    expect(await ids()).toEqual([held, waits].map(({ id }) => id));
  });

  test("it goes as a deleted message does: with its event, its bodies, its place in the counts", async () => {
    const { boss, complete } = await lives(hub());
    const [before, head] = [await hub().all(), hub().head];
    await pruneAll(hub(), { complete_before: hub().now, failed_before: hub().now });
    const events = await hub().events(null, head);
    expect(events.map(({ kind, actor }) => [kind, actor])).toEqual(Array(3).fill(["deleted", undefined]));
    expect(await hub().get(complete)).toBeNull();
    const replay = await hub().events(boss);
    expect(JSON.stringify(replay)).not.toContain('"42"');
    expect(replay.find(({ kind }) => kind === "completed")?.message).toMatchObject({ id: complete.id, erased: true });
    const after = await hub().all();
    expect(folded(before, events)).toEqual(comparable(after));
    expect(await hub().store.counts()).toEqual(countsOf(after));
  });

  test("the first that ended go first, a bounded number at a time", async () => {
    const worker = run(hub().newName("worker"), "r1");
    const ended: string[] = [];
    for (let i = 0; i < 130; i++) {
      ended.push((await done(hub(), worker, { to_claude: worker.claude_id })).id);
      hub().clock.advance(1);
    }
    const head = hub().head;
    const reports = await pruneAll(hub(), { complete_before: hub().now });
    expect(reports.map(({ messages }) => messages)).toEqual([100, 30, 0]);
    expect((await hub().events(null, head)).map(({ message }) => message.id)).toEqual(ended);
  });

  test("a key outlives its message by seven days at least, and a message that stays keeps its key", async () => {
    const worker = run(hub().newName("worker"), "r1");
    const said = { from_claude: hub().newName("boss"), to_claude: worker.claude_id };
    const gone = await hub().send(said, "k1");
    const stays = await hub().send(said, "k2");
    await hub().complete(await hub().claim(gone, worker), worker);
    hub().clock.advance(7 * DAY);
    await pruneAll(hub(), { complete_before: hub().now });
    expect(await prune(hub(), { keys_after: FIRST_KEY })).toMatchObject({ keys: 0, keys_next: null });
    expect(await hub().outcome(sending(said, "k1"))).toMatchObject({ deduplicated: true });
    expect(await hub().send(said, "k1")).toMatchObject({ id: gone.id, erased: true });
    hub().clock.advance(1);
    expect(await prune(hub(), { keys_after: FIRST_KEY })).toMatchObject({ keys: 1 });
    expect((await hub().send(said, "k1")).id).not.toBe(gone.id);
    expect((await hub().send(said, "k2")).id).toBe(stays.id);
  });

  test("keys are looked at in portions, each from where the last ended", async () => {
    const said = { from_claude: hub().newName("boss"), to_claude: hub().newName("worker") };
    const keyed = Array.from({ length: 1_100 }, (_, i) => sending(said, `k${i}`));
    for (let i = 0; i < keyed.length; i += 100) await hub().commit(...keyed.slice(i, i + 100));
    const first = await prune(hub(), { keys_after: FIRST_KEY });
    expect(first).toMatchObject({ more: true, keys_next: [expect.any(String), expect.any(String)] });
    let [portions, next] = [1, first.keys_next];
    for (; next !== null; portions++) next = (await prune(hub(), { keys_after: next })).keys_next;
    expect(portions).toBe(3);
  });

  test("the log loses what is older, from its beginning, and a reader that was there is told", async () => {
    const { boss, failed, waits } = await lives(hub());
    const whole = (await hub().log(null, hub().head - 9)).entries;
    const cut = whole.find(({ id }) => id === waits.id);
    await pruneAll(hub(), { log_before: Date.parse(waits.created_at) });
    const floor = (cut?.seq ?? 0) - 1;
    expect((await hub().log(null, floor)).entries).toEqual(whole.filter(({ seq }) => seq > floor));
    const refusal = await hub()
      .log(boss, floor - 1)
      .catch((error) => error);
    expect(refusal).toMatchObject({ code: "cursor_lost", details: { reason: "pruned" } });
    expect(floorOf(refusal)).toBe(floor);
    expect(await hub().get(failed)).toMatchObject({ status: "failed", error: "broken" });
  });

  test("in portions, each with the floor that it leaves", async () => {
    for (let i = 0; i < 6; i++) await hub().commit(...Array.from({ length: 200 }, () => sending({ to_claude: "x" })));
    hub().clock.advance(1);
    const reports = await pruneAll(hub(), { log_before: hub().now });
    const { entries, upTo } = await hub().log(null, reports.at(-1)?.floor as number);
    expect(reports.every(({ entries: count }) => count <= 500)).toBe(true);
    expect(reports.length).toBeGreaterThan(3);
    expect(entries.map(({ seq }) => seq)).toEqual([upTo]);
  });

  test("but never its last entry, which says how far it has come", async () => {
    hub().clock.advance(DAY);
    const reports = await pruneAll(hub(), { log_before: hub().now });
    expect(reports.at(-1)?.floor).toBe(hub().head - 1);
    expect((await hub().send({ to_claude: "x" })).seq).toBe(hub().head);
    expect((await hub().log(null, hub().head - 2)).entries.map(parsed)).toHaveLength(2);
  });

  test("instances are forgotten that were last there before a time, or are too many; those that are there stay", async () => {
    const move = (state: PresenceTransition["state"], ...names: string[]) =>
      hub().commit({ op: "presence", transitions: names.map((claude_id) => ({ claude_id, state, at: hub().now })) });
    const forgotten = async (due: Partial<PruneCommand>) =>
      (await pruneAll(hub(), due)).flatMap(({ instances }) => instances);
    await move("online", "old", "older", "stays");
    await move("heartbeat", "stays", "beats");
    await move("offline", "older");
    hub().clock.advance(MINUTE);
    const before = hub().now;
    await move("offline", "old");
    await move("stale", "quiet");
    expect(await forgotten({ max_instances: 5 })).toEqual([]);
    expect(await forgotten({ seen_before: before })).toEqual(["older"]);
    hub().clock.advance(MINUTE);
    await move("offline", "new");
    expect(await forgotten({ max_instances: 4 })).toEqual(["old"]);
    expect(await prune(hub(), { max_instances: 0, seen_before: hub().now + 1 })).toMatchObject({
      instances: ["new"],
      history: 1,
      more: true,
    });
    const chat = await hub().send({ to_claude: "*", type: "chat" });
    const receipts: { recipient: string }[] = JSON.parse((await hub().store.receipts(chat.id)) as string);
    expect(receipts.map(({ recipient }) => recipient)).toEqual(["beats", "quiet", "stays"]);
    for (const recipient of ["beats", "stays"]) await hub().change(chat, { op: "complete" }, name(recipient));
    await move("offline", "quiet");
    expect(await hub().get(chat)).toMatchObject({ status: "pending" });
    expect(await forgotten({ seen_before: hub().now + 1 })).toEqual(["quiet"]);
    expect(await hub().get(chat)).toMatchObject({ status: "complete" }); // nobody waits for who is forgotten
  });

  test("what happened to those that are there goes by its age, in portions, and at the latest when the log does", async () => {
    const lives = hub().newName("lives");
    const beat = (count: number) => {
      const beats = Array.from(
        { length: count },
        () => ({ claude_id: lives, state: "heartbeat", at: hub().now }) as const,
      );
      return hub().commit({ op: "presence", transitions: beats });
    };
    const gone = async (due: Partial<PruneCommand>) => (await pruneAll(hub(), due)).map(({ history }) => history);
    await gone({ history_before: hub().now + 1 });
    await beat(700);
    hub().clock.advance(MINUTE);
    const since = hub().now;
    await beat(2);
    hub().clock.advance(1);
    expect(await gone({})).toEqual([0]);
    expect(await gone({ history_before: since })).toEqual([500, 200, 0]);
    expect(await gone({ log_before: since })).not.toContain(2);
    expect(await gone({ log_before: hub().now })).toContain(2);
    const chat = await hub().send({ to_claude: "*", type: "chat" });
    expect(await hub().store.receipts(chat.id)).toContain(`"${lives}"`);
  });
};
