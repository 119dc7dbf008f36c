/** Batches: in order, each command for itself, and a log without gaps. */
import { expect, test } from "vitest";
import type { StoreCommand, StoreCommandOf } from "../../../../server/store/storeCommands.ts";
import { complete, name } from "../../core/support.ts";
import { parsed, type Section, sending } from "../driver.ts";

export const batches: Section = (hub) => {
  test("a refused command fails alone, between others that do not", async () => {
    const worker = hub().newName("worker");
    const task = await hub().send({ to_claude: worker });
    const change = (command: StoreCommandOf<"change">["command"], id = task.id): StoreCommand => ({
      op: "change",
      id,
      caller: name(worker),
      command,
    });
    const { outcomes, entries } = await hub().commit(
      change({ op: "claim" }),
      change({ op: "claim" }),
      change({ op: "claim" }, "nowhere"),
      sending({ to_claude: "*" }),
      change(complete(7)),
      sending({ to_claude: worker }),
      change(complete(1)),
    );
    const codes = outcomes.map((outcome) => (outcome.ok ? "ok" : outcome.error.code));
    expect(codes).toEqual(["ok", "wrong_status", "not_found", "not_a_task", "lease_lost", "ok", "ok"]);
    expect(entries.map(({ kind }) => kind)).toEqual(["claimed", "new", "completed"]);
    for (const outcome of outcomes) if (!outcome.ok) expect(outcome.error.message).toMatch(/^[A-Z]/);
  });

  test("commands see what those before them did", async () => {
    const worker = name(hub().newName("worker"));
    const { outcomes } = await hub().commit(
      { op: "claim_next", caller: worker, queues: [worker.claude_id] },
      sending({ to_claude: worker.claude_id }),
      { op: "claim_next", caller: worker, queues: [worker.claude_id] },
      { op: "claim_next", caller: worker, queues: [worker.claude_id] },
    );
    expect(outcomes.map((outcome) => outcome.ok && outcome.json !== null)).toEqual([false, true, true, false]);
  });

  test("seqs are handed out without gaps, whatever is refused, and say what they are", async () => {
    const [worker, start] = [name(hub().newName("worker")), hub().head];
    for (let i = 0; i < 5; i++) {
      await hub().commit(
        sending({ to_claude: worker.claude_id, backoff_ms: 0, max_attempts: 9 }),
        sending({ to_claude: "*" }),
        { op: "claim_next", caller: worker, queues: [worker.claude_id] },
        { op: "probe" },
      );
      const held = (await hub().all({ to_claude: worker.claude_id, status: "in_progress" })).at(-1) as never;
      await hub().failRetryable(held, worker);
    }
    const since = hub().live.filter(({ seq }) => seq > start);
    expect(since.map(({ seq }) => seq)).toEqual(since.map((_, i) => start + 1 + i));
    expect(since.map(({ seq, kind, id, from, to }) => ({ seq, kind, id, from, to }))).toEqual(
      since
        .map(parsed)
        .map(({ seq, kind, message: m }) => ({ seq, kind, id: m.id, from: m.from_claude, to: m.to_claude })),
    );
    expect(hub().head).toBe(start + 20);
  });

  test("an entry says whether a task became claimable by it", async () => {
    const worker = name(hub().newName("worker"));
    const to_claude = worker.claude_id;
    const start = hub().head;
    const task = await hub().send({ to_claude, backoff_ms: 0 });
    await hub().send({ to_claude, type: "chat" });
    await hub().send({ to_claude, not_before: hub().now + 1_000 });
    await hub().failRetryable(await hub().claim(task, worker), worker);
    await hub().release(await hub().claim(task, worker), worker);
    await hub().delete(task);
    const told = hub().live.filter(({ seq }) => seq > start);
    expect(told.map(({ kind, claimable }) => `${kind}${claimable ? "!" : ""}`)).toEqual([
      "new!",
      "new",
      "new",
      "claimed",
      "requeued",
      "ready!",
      "claimed",
      "released!",
      "deleted",
    ]);
  });

  test("an empty batch and a probe change nothing", async () => {
    const before = await hub().list();
    expect((await hub().commit()).outcomes).toEqual([]);
    const { outcomes, entries } = await hub().commit({ op: "probe" });
    expect(outcomes).toEqual([{ ok: true, json: null }]);
    expect(entries).toEqual([]);
    expect(await hub().list()).toEqual(before);
  });

  test("batches that are under way together keep their order", async () => {
    const worker = hub().newName("worker");
    const results = await Promise.all(
      Array.from({ length: 20 }, (_, i) => hub().commit(sending({ to_claude: worker, task: `t${i}` }))),
    );
    const seqs = results.flatMap(({ entries }) => entries.map(({ seq }) => seq));
    expect(seqs).toEqual([...seqs].sort((a, b) => a - b));
    expect((await hub().all({ to_claude: worker })).map(({ task }) => task)).toEqual(seqs.map((_, i) => `t${i}`));
  });

  test("a batch that would have too much to say says what it can, and refuses the rest unchanged", async () => {
    const worker = hub().newName("worker");
    const long = sending(
      { from_claude: hub().newName("boss"), to_claude: worker, context: "x".repeat(1024 * 1024) },
      "k",
    );
    const small = sending({ to_claude: worker });
    const { outcomes, entries } = await hub().commit(...Array.from({ length: 20 }, () => long), small);
    const told = outcomes.filter(({ ok }) => ok).length;
    expect(told).toBeGreaterThanOrEqual(4);
    expect(told).toBeLessThan(10);
    for (const outcome of outcomes.slice(told)) expect(outcome).toMatchObject({ error: { code: "too_many_requests" } });
    expect(entries).toHaveLength(1);
    expect(await hub().outcome(long)).toMatchObject({ deduplicated: true, waiting: 1 });
    expect(await hub().outcome(small)).toMatchObject({ deduplicated: false, waiting: 2 });
  });

  test("a batch of 256 is one batch", async () => {
    const worker = hub().newName("worker");
    const { outcomes, entries } = await hub().commit(
      ...Array.from({ length: 256 }, () => sending({ to_claude: worker })),
    );
    expect([outcomes.length, entries.length]).toEqual([256, 256]);
    expect(outcomes.at(-1)).toMatchObject({ ok: true, waiting: 256 });
  });
};
