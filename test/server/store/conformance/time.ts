/** What time alone does, and when the store wants to be woken for it. */
import { expect, test } from "vitest";
import { LEASE, MINUTE, name, run, SECOND } from "../../core/support.ts";
import { type Section, sending } from "../driver.ts";

export const time: Section = (hub) => {
  const WORKER = run("worker", "r1");
  const kinds = async () => (await hub().wake()).entries.map(({ kind }) => kind);

  test("a task that must wait is claimable from its moment on, and its readiness is told", async () => {
    const worker = name(hub().newName("worker"));
    const task = await hub().send({ to_claude: worker.claude_id, not_before: hub().now + MINUTE });
    const notReady = {
      code: "not_ready",
      details: { id: task.id, status: "pending", not_before: new Date(hub().now + MINUTE).toISOString() },
    };
    await expect(hub().claim(task, worker)).rejects.toMatchObject(notReady);
    expect(hub().wakeAt).toBe(hub().now + MINUTE);
    hub().clock.advance(MINUTE - 1);
    expect(await kinds()).toEqual([]);
    expect(await hub().claimNext(worker)).toBeNull();
    hub().clock.advance(1);
    expect(await kinds()).toEqual(["ready"]);
    expect(await hub().claimNext(worker)).toMatchObject({ id: task.id });
    await hub().delete(task);
    await hub().wake();
    expect(hub().wakeAt).toBeNull();
  });

  test("a lost holder's task rests, is ready, and is claimed with the next attempt", async () => {
    const task = await hub().send({ to_claude: hub().newName("worker") });
    const held = await hub().claim(task, WORKER);
    await hub().commit({ op: "lapse", holder: { claude_id: "worker", run: "r1" }, forMs: SECOND });
    hub().clock.advance(SECOND);
    const { entries } = await hub().wake();
    expect(entries.map(({ kind }) => kind)).toEqual(["requeued"]);
    expect(JSON.parse(entries[0]?.json as string)).not.toHaveProperty("actor");
    expect(JSON.parse(entries[0]?.json as string)).toMatchObject({
      message: { error: "worker was gone", tries_left: 2 },
    });
    const rest = Date.parse((await hub().get(task))?.not_before as string) - hub().now;
    expect(rest).toBeGreaterThanOrEqual(2_500);
    expect(rest).toBeLessThanOrEqual(5_000);
    hub().clock.advance(rest);
    expect(await kinds()).toEqual(["ready"]);
    expect(await hub().claim(task, WORKER)).toMatchObject({ attempt: (held.attempt as number) + 1, tries_left: 1 });
    await hub().delete(task);
  });

  test("the last holder may still complete while the task waits for its next claim", async () => {
    const task = await hub().send({ to_claude: hub().newName("worker"), timeout_ms: 1_000 });
    const held = await hub().claim(task, WORKER);
    const claimedAt = held.claimed_at as string;
    hub().clock.advance(1_000);
    expect(await kinds()).toEqual(["requeued"]);
    expect(await hub().get(task)).not.toHaveProperty("claimed_by");
    const done = await hub().complete(held, WORKER, "late but first");
    expect(done).toMatchObject({ status: "complete", attempt: 1, claimed_by: "worker", claimed_at: claimedAt });
    await hub().wake();
    expect(await hub().get(task)).toEqual(done);
  });

  test("after the last try it has failed for good", async () => {
    const task = await hub().send({ to_claude: hub().newName("worker"), max_attempts: 1, timeout_ms: 1_000 });
    await hub().claim(task, WORKER);
    hub().clock.advance(1_000);
    expect(await kinds()).toEqual(["failed"]);
    const error = "timed out after 1000 ms";
    expect(await hub().get(task)).toMatchObject({
      status: "failed",
      failure: "attempts_exhausted",
      error,
      tries_left: 0,
    });
    expect(hub().wakeAt).toBeNull();
  });

  test("what nobody claims or reads in time has expired", async () => {
    const worker = hub().newName("worker");
    const expires_at = hub().now + MINUTE;
    const [task, chat] = [
      { to_claude: worker, expires_at },
      { to_claude: worker, type: "chat", expires_at },
    ] as const;
    await hub().commit(sending(task), sending(chat));
    hub().clock.advance(MINUTE - 1);
    expect(await kinds()).toEqual([]);
    hub().clock.advance(1);
    expect(await kinds()).toEqual(["failed", "failed"]);
    for (const message of await hub().all({ to_claude: worker })) {
      expect(message).toMatchObject({ status: "failed", failure: "expired" });
    }
    expect(hub().wakeAt).toBeNull();
  });

  test("nobody is given a task that has expired, although it has not been ended yet", async () => {
    const worker = run(hub().newName("worker"), "r1");
    const expires_at = hub().now + MINUTE;
    const to = { to_claude: worker.claude_id };
    const [asked, first] = [await hub().send({ ...to, expires_at }), await hub().send({ ...to, expires_at })];
    const good = await hub().send(to);
    hub().clock.advance(MINUTE);
    await expect(hub().claim(asked, worker)).rejects.toMatchObject({ code: "wrong_status" });
    expect(await hub().claimNext(worker)).toMatchObject({ id: good.id });
    for (const task of [asked, first]) {
      expect(await hub().get(task)).toMatchObject({ status: "failed", failure: "expired", attempt: 0 });
    }
    expect(await hub().claimNext(worker)).toBeNull();
    await hub().wake();
    expect(hub().wakeAt).toBeNull();
  });

  test("the earliest of all moments is the one to wake at", async () => {
    const worker = name(hub().newName("worker"));
    const start = hub().now;
    const [later, sooner] = [start + 2 * MINUTE, start + MINUTE];
    const last = await hub().send({ to_claude: worker.claude_id, not_before: later });
    expect(hub().wakeAt).toBe(later);
    const first = await hub().send({ to_claude: worker.claude_id, expires_at: sooner });
    expect(hub().wakeAt).toBe(sooner);
    for (const task of [last, first]) await hub().delete(task);
    await hub().wake();
    expect(hub().wakeAt).toBeNull();
  });

  test("as long as a deadline measures time, every two seconds are to be noted", async () => {
    const worker = run(hub().newName("worker"), "r1");
    const held = await hub().claim(await hub().send({ to_claude: worker.claude_id }), worker);
    expect(hub().wakeAt).toBeNull();
    await hub().change(held, { op: "extend", attempt: 1, lease_ms: MINUTE }, worker);
    for (let i = 0; i < 3; i++) {
      const left = (hub().wakeAt as number) - hub().now;
      expect(left).toBeGreaterThan(i === 0 ? 0 : 1_999);
      expect(left).toBeLessThanOrEqual(2_000);
      hub().clock.advance(left);
      await hub().wake();
    }
    await hub().complete(held, worker);
    expect(hub().wakeAt).toBeNull();
  });

  test("a wake asked for too early does nothing and says when to come again", async () => {
    const task = await hub().send({ to_claude: hub().newName("worker"), expires_at: hub().now + MINUTE });
    const { entries, wakeAt } = await hub().wake();
    expect([entries, wakeAt]).toEqual([[], hub().now + MINUTE]);
    await hub().delete(task);
    hub().clock.advance(MINUTE);
    expect(await hub().wake()).toMatchObject({ entries: [], wakeAt: null });
  });

  test("more than one wake can carry: the rest is due at once, and in the order of its moments", async () => {
    const worker = hub().newName("worker");
    const start = hub().now;
    const moments = Array.from({ length: 450 }, (_, i) => start + ((i * 7) % 450) + 1);
    await hub().commit(...moments.map((not_before) => sending({ to_claude: worker, not_before })));
    hub().clock.advance(LEASE.graceMs);
    const ready: string[] = [];
    for (let woken = await hub().wake(); woken.entries.length > 0; woken = await hub().wake()) {
      expect(woken.entries.length).toBeLessThanOrEqual(200);
      ready.push(...woken.entries.map(({ id }) => id));
      if (ready.length < 450) expect(woken.wakeAt).toBeLessThanOrEqual(hub().now);
    }
    const tasks = new Map((await hub().all({ to_claude: worker })).map((task) => [task.id, task.not_before as string]));
    const times = ready.map((id) => tasks.get(id) as string);
    expect(times).toEqual([...times].sort());
    expect(new Set(ready).size).toBe(450);
    expect(hub().wakeAt).toBeNull();
  });
};
