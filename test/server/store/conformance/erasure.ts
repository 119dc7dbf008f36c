/** Deleting a message erases its bodies: from lists, from reads, and from whatever is replayed of it. */
import { expect, test } from "vitest";
import { name, run } from "../../core/support.ts";
import type { Section, StoreDriver } from "../driver.ts";

const SECRET = "s3cr3t";

/** A message with a body in every event that can have one, deleted at last. */
async function deleted(hub: StoreDriver) {
  const [boss, worker] = [hub.newName("boss"), run(hub.newName("worker"), "r1")];
  const start = hub.head;
  const bodies = { task: `${SECRET}-task`, context: `${SECRET}-context` };
  const task = await hub.send({ from_claude: boss, to_claude: worker.claude_id as string, backoff_ms: 0, ...bodies });
  const first = await hub.claim(task, worker);
  await hub.change(first, { op: "fail", attempt: 1, error: `${SECRET}-error`, retryable: true }, worker);
  await hub.complete(await hub.claim(task, worker), worker, `${SECRET}-result`);
  await hub.delete(task, name(boss));
  return { task, boss, start };
}

export const erasure: Section = (hub) => {
  test("it is gone from every read, once and for all", async () => {
    const { task, boss } = await deleted(hub());
    expect(await hub().get(task)).toBeNull();
    expect(await hub().all({ from_claude: boss })).toEqual([]);
    await expect(hub().delete(task)).rejects.toMatchObject({ code: "not_found" });
    await expect(hub().claim(task, name("w"))).rejects.toMatchObject({ code: "not_found" });
  });

  test("a replay says `erased` in place of the bodies, and is otherwise what went out live", async () => {
    const { boss, start } = await deleted(hub());
    const { entries } = await hub().log(boss, start);
    const live = hub().live.filter(({ seq }) => seq > start);
    const expected = live.map(({ json, bodiesAt, kind }) => {
      return kind === "deleted" ? json : `${json.slice(0, bodiesAt)},"erased":true}}`;
    });
    expect(entries.map(({ json }) => json)).toEqual(expected);
    expect(live.map(({ json }) => json).join()).toContain(SECRET);
    expect(entries.map(({ json }) => json).join()).not.toContain(SECRET);
  });

  test("everything that happened to it is still told, its deletion last", async () => {
    const { boss, start } = await deleted(hub());
    const kinds = (await hub().events(boss, start)).map(({ kind }) => kind);
    expect(kinds).toEqual(["new", "claimed", "requeued", "ready", "claimed", "completed", "deleted"]);
    const last = (await hub().events(boss, start)).at(-1);
    expect(last).toMatchObject({ kind: "deleted", actor: boss, message: { status: "complete", attempt: 2 } });
  });

  test("others' bodies stay", async () => {
    const kept = await hub().send({
      from_claude: hub().newName("boss"),
      to_claude: hub().newName("worker"),
      task: "kept",
    });
    await deleted(hub());
    expect(await hub().get(kept)).toMatchObject({ task: "kept" });
    expect((await hub().events(kept.from_claude))[0]?.message.task).toBe("kept");
  });

  test("deleting what is held and what waits works alike, and nothing is left to wake for", async () => {
    const worker = name(hub().newName("worker"));
    const waits = await hub().send({ to_claude: worker.claude_id, not_before: hub().now + 1_000 });
    const held = await hub().send({ to_claude: worker.claude_id, timeout_ms: 500 });
    await hub().claim(held, worker);
    await hub().delete(held);
    await hub().delete(waits);
    hub().clock.advance(1_000);
    expect(await hub().wake()).toMatchObject({ entries: [], wakeAt: null });
    expect(await hub().claimNext(worker)).toBeNull();
    await expect(hub().complete({ ...held, attempt: 1 }, worker)).rejects.toMatchObject({ code: "not_found" });
  });
};
