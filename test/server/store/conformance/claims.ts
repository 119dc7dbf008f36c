/** Claiming: whose turn it is, one holder an attempt, and answers that can be had again. */
import { expect, test } from "vitest";
import { PRIORITIES } from "../../../../shared/vocabulary.ts";
import { seededRandom } from "../../../support/random.ts";
import { MINUTE, NOBODY, name, run } from "../../core/support.ts";
import { parsed, type Section, sending } from "../driver.ts";

export const claims: Section = (hub) => {
  test("tasks are handed out by priority and age, and each once", async () => {
    const random = seededRandom();
    const worker = name(hub().newName("worker"));
    const head = { low: -10, normal: 0, high: 10, urgent: 60 };
    const sent: { id: string; rank: number }[] = [];
    for (let i = 0; i < 60; i++) {
      hub().clock.advance(random.int(3) * MINUTE);
      const priority = random.pick(PRIORITIES);
      const { id } = await hub().send({ to_claude: worker.claude_id, priority });
      sent.push({ id, rank: hub().now - head[priority] * MINUTE });
    }
    const expected = [...sent].sort((a, b) => a.rank - b.rank).map(({ id }) => id);
    const claimed = [];
    for (let task = await hub().claimNext(worker); task; task = await hub().claimNext(worker)) claimed.push(task.id);
    expect(claimed).toEqual(expected);
  });

  test("an old task of low priority goes before fresh urgent ones once it has waited 70 minutes", async () => {
    const worker = name(hub().newName("worker"));
    const low = await hub().send({ to_claude: worker.claude_id, priority: "low" });
    hub().clock.advance(70 * MINUTE);
    const level = await hub().send({ to_claude: worker.claude_id, priority: "urgent" });
    hub().clock.advance(1);
    const fresh = await hub().send({ to_claude: worker.claude_id, priority: "urgent" });
    const order = [await hub().claimNext(worker), await hub().claimNext(worker), await hub().claimNext(worker)];
    expect(order.map((task) => task?.id)).toEqual([low.id, level.id, fresh.id]);
  });

  test("only tasks of that instance are handed out, no chats, and null when there are none", async () => {
    const [worker, other] = [name(hub().newName("worker")), name(hub().newName("worker"))];
    await hub().send({ to_claude: worker.claude_id, type: "chat" });
    await hub().send({ to_claude: "*", type: "chat" });
    await hub().send({ to_claude: worker.claude_id, not_before: hub().now + 1 });
    const theirs = await hub().send({ to_claude: other.claude_id });
    expect(await hub().claimNext(worker)).toBeNull();
    expect(await hub().claimNext(worker, other.claude_id)).toMatchObject({
      id: theirs.id,
      claimed_by: worker.claude_id,
    });
    expect(await hub().claimNext(other)).toBeNull();
  });

  test("fifty claimers of one task in one batch, and fifty at once: one gets it", async () => {
    for (const together of [true, false]) {
      const task = await hub().send({ to_claude: hub().newName("worker") });
      const claims = Array.from({ length: 50 }, (_, i) => ({
        op: "change" as const,
        id: task.id,
        caller: run("worker", `r${i}`),
        command: { op: "claim" as const },
      }));
      const results = together
        ? [await hub().commit(...claims)]
        : await Promise.all(claims.map((claim) => hub().commit(claim)));
      const outcomes = results.flatMap((result) => result.outcomes);
      expect(outcomes.filter((outcome) => outcome.ok)).toHaveLength(1);
      for (const outcome of outcomes) if (!outcome.ok) expect(outcome.error.code).toBe("wrong_status");
      expect(results.flatMap((result) => result.entries)).toHaveLength(1);
      expect(await hub().get(task)).toMatchObject({ attempt: 1 });
    }
  });

  test("a claim asked again with its key: the same answer, no event", async () => {
    const worker = run(hub().newName("worker"), "r1");
    const task = await hub().send({ to_claude: worker.claude_id });
    const held = await hub().claim(task, worker, "k");
    const head = hub().head;
    expect(await hub().claim(task, worker, "k")).toEqual(held);
    expect(hub().head).toBe(head);
    await expect(hub().claim(task, worker, "k2")).rejects.toMatchObject({ code: "wrong_status" });
  });

  test("a claim_next asked again with its key: the same task, though others wait", async () => {
    const worker = run(hub().newName("worker"), "r1");
    const name = worker.claude_id;
    await hub().commit(sending({ to_claude: name }), sending({ to_claude: name }), sending({ to_claude: name }));
    const first = await hub().claimNext(worker, name, "k");
    const head = hub().head;
    expect(await hub().claimNext(worker, name, "k")).toEqual(first);
    expect(hub().head).toBe(head);
    expect((await hub().claimNext(worker, name, "k2"))?.id).not.toBe(first?.id);
  });

  test("a claim key belongs to its holder: another run, another name and nobody's get tasks of their own", async () => {
    const worker = hub().newName("worker");
    const callers = [run(worker, "r1"), run(worker, "r2"), name(worker), run(hub().newName("other"), "r1")];
    await hub().commit(...callers.map(() => sending({ to_claude: worker })));
    const taken = [];
    for (const caller of callers) taken.push(await hub().claimNext(caller, worker, "k"));
    expect(new Set(taken.map((task) => task?.id)).size).toBe(callers.length);
    for (const [i, caller] of callers.entries()) expect(await hub().claimNext(caller, worker, "k")).toEqual(taken[i]);
    expect(await hub().claimNext(NOBODY, worker, "k")).toEqual(taken[2]);
  });

  test("once the task has ended, its key claims the next one", async () => {
    const worker = run(hub().newName("worker"), "r1");
    const name = worker.claude_id;
    await hub().commit(sending({ to_claude: name }), sending({ to_claude: name }));
    const first = await hub().claimNext(worker, name, "k");
    await hub().complete(first as never, worker);
    expect((await hub().claimNext(worker, name, "k"))?.id).not.toBe(first?.id);
  });

  test("a stale holder changes nothing (I7); what it said is kept, once an attempt", async () => {
    const [r1, r2] = [run(hub().newName("worker"), "r1"), run("worker", "r2")];
    const task = await hub().send({ to_claude: r1.claude_id });
    const stale = await hub().claim(task, r1);
    await hub().release(stale, r1);
    const held = await hub().claim(task, r2);
    const head = hub().head;
    const lost = {
      code: "lease_lost",
      details: { id: task.id, status: "in_progress", attempt: 2, claimed_by: "worker" },
    };
    await expect(hub().complete(stale, r1, "late")).rejects.toMatchObject(lost);
    await expect(hub().fail(stale, r1)).rejects.toMatchObject(lost);
    await expect(hub().failRetryable(stale, r1)).rejects.toMatchObject(lost);
    const otherwise = { op: "release", attempt: 1, reason: "late" } as const;
    await expect(hub().change(stale, otherwise, r1)).rejects.toMatchObject(lost);
    expect(await hub().get(task)).toEqual({ ...held, seq: head + 1 });
    const { entries } = await hub().log(null, head);
    expect(entries.map(parsed)).toMatchObject([
      {
        kind: "late",
        actor: r1.claude_id,
        message: { status: "in_progress", attempt: 2, late_attempt: 1, result: "late" },
      },
    ]);
  });

  test("nor does an earlier attempt of the present holder, nor another run with the present attempt (I7)", async () => {
    const worker = hub().newName("worker");
    const [r1, r2] = [run(worker, "r1"), run(worker, "r2")];
    const task = await hub().send({ to_claude: worker });
    const first = await hub().claim(task, r1);
    expect(await hub().release(first, r1)).toMatchObject({ status: "pending", attempt: 1, tries_left: 3 });
    const second = await hub().claim(task, r1);
    await expect(hub().complete(first, r1)).rejects.toMatchObject({ code: "lease_lost" });
    await expect(hub().complete(second, r2)).rejects.toMatchObject({ code: "lease_lost" });
    await expect(hub().fail(second, name(worker))).rejects.toMatchObject({ code: "lease_lost" });
    expect(await hub().get(task)).toEqual({ ...second, seq: expect.any(Number) });
    expect(await hub().complete(second, r1)).toMatchObject({ status: "complete", attempt: 2 });
  });

  test("the identical completion again: the same answer, no event; another is refused", async () => {
    const worker = run(hub().newName("worker"), "r1");
    const held = await hub().claim(await hub().send({ to_claude: worker.claude_id }), worker);
    const done = await hub().complete(held, worker, "42");
    const head = hub().head;
    expect(await hub().complete(held, worker, "42")).toEqual(done);
    await expect(hub().complete(held, worker, "43")).rejects.toMatchObject({ code: "wrong_status" });
    expect(await hub().get(held)).toEqual(done);
    expect(hub().head).toBe(head);
  });
};
