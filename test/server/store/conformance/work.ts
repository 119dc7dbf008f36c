/** What holders and senders do beside claiming and ending: cancel, retry, ask for time, tell how far it is, see. */
import { expect, test } from "vitest";
import { LIMITS } from "../../../../shared/limits.ts";
import type { Message } from "../../../../shared/message.ts";
import { LEASE, lostRun, MINUTE, name, run, SECOND } from "../../core/support.ts";
import { parsed, type Section } from "../driver.ts";

const BOSS = name("boss");

export const work: Section = (hub) => {
  const held = async (said: object = {}) => {
    const worker = run(hub().newName("worker"), "r1");
    const task = await hub().claim(await hub().send({ to_claude: worker.claude_id, ...said }), worker);
    return { worker, task };
  };
  const kindsSince = async (head: number) => (await hub().log(null, head)).entries.map(({ kind }) => kind);
  const attempts = async ({ id }: Message) => JSON.parse((await hub().store.attempts(id)) as string);

  test("cancel ends a held task at once; what its holder still sends is kept and changes nothing", async () => {
    const { worker, task } = await held();
    const head = hub().head;
    const cancelled = await hub().change(task, { op: "cancel", reason: "no need" }, BOSS);
    expect(cancelled).toMatchObject({ status: "failed", failure: "cancelled", error: "no need", attempt: 1 });
    expect(await hub().change(task, { op: "cancel" }, BOSS)).toEqual(cancelled);
    await expect(hub().complete(task, worker, "done all the same")).rejects.toMatchObject({ code: "wrong_status" });
    await expect(hub().complete(task, worker, "and again")).rejects.toMatchObject({ code: "wrong_status" });
    const { entries } = await hub().log(null, head);
    expect(entries.map(parsed)).toMatchObject([
      { kind: "cancelled", actor: "boss", message: { failure: "cancelled", error: "no need" } },
      { kind: "late", message: { status: "failed", late_attempt: 1, result: "done all the same" } },
    ]);
    expect(await attempts(task)).toMatchObject([{ attempt: 1, outcome: "cancelled", error: "no need", late: true }]);
  });

  test("of a task that is claimed and given back without end, the last tries are on record", async () => {
    const caller = name(hub().newName("worker"));
    const task = await hub().send({ to_claude: caller.claude_id });
    const round = [{ op: "claim" }, { op: "release" }] as const;
    const rounds = Array.from({ length: LIMITS.attempts + 2 }, () => round).flat();
    await hub().commit(...rounds.map((command) => ({ op: "change" as const, id: task.id, caller, command })));
    const kept = (await attempts(task)).map(({ attempt }: { attempt: number }) => attempt);
    expect(kept).toEqual(Array.from({ length: LIMITS.attempts }, (_, i) => i + 3));
  });

  test("nobody else's refused outcome is kept", async () => {
    const { task } = await held();
    await hub().change(task, { op: "cancel" }, BOSS);
    const head = hub().head;
    await expect(hub().complete(task, name("other"), "mine")).rejects.toMatchObject({ code: "wrong_status" });
    await expect(hub().complete(task, run("other", "r1"), "mine")).rejects.toMatchObject({ code: "wrong_status" });
    expect(hub().head).toBe(head);
  });

  test("cancel takes a waiting task out of the queue, and a finished one stays as it is", async () => {
    const { worker, task } = await held();
    const waiting = await hub().send({ to_claude: worker.claude_id });
    await hub().change(waiting, { op: "cancel" }, BOSS);
    expect(await hub().claimNext(worker)).toBeNull();
    const done = await hub().complete(task, worker, "42");
    await expect(hub().change(task, { op: "cancel" }, BOSS)).rejects.toMatchObject({ code: "wrong_status" });
    expect(await hub().get(task)).toEqual(done);
  });

  test("each try is on record, whatever ended it, and who came too late is told apart", async () => {
    const { worker, task } = await held({ backoff_ms: 0, max_attempts: 5 });
    await hub().failRetryable(task, worker);
    await hub().release(await hub().claim(task, worker), worker);
    await hub().claim(task, worker);
    await hub().commit({ op: "lapse", holder: worker, forMs: 0 });
    await hub().wake();
    const last = await hub().claim(task, worker);
    await expect(hub().complete({ ...last, attempt: 3 }, worker, "late")).rejects.toMatchObject({ code: "lease_lost" });
    expect(await attempts(task)).toMatchObject([
      { attempt: 1, claimed_by: worker.claude_id, outcome: "requeued", error: "broken" },
      { attempt: 2, outcome: "released" },
      { attempt: 3, outcome: "requeued", error: `${worker.claude_id} was gone`, late: true },
      { attempt: 4, outcome: "in_progress" },
    ]);
  });

  test.each([
    ["released", { op: "release", reason: "busy" }],
    ["requeued", { op: "fail", error: "busy", retryable: true }],
    ["failed", { op: "fail", error: "broken" }],
  ] as const)(
    "a try that was %s, said again: answered as the task stands, and nothing is written",
    async (outcome, said) => {
      const { worker, task } = await held({ backoff_ms: 0 });
      const ending = { ...said, attempt: 1 };
      await hub().change(task, ending, worker);
      if (outcome === "failed") await hub().change(task, { op: "retry" }, BOSS);
      const again = async () => {
        const [before, head] = [await hub().get(task), hub().head];
        expect(await hub().change(task, ending, worker)).toEqual(before);
        expect([await hub().get(task), hub().head]).toEqual([before, head]);
      };
      await again();
      const second = await hub().claim(task, run("other", "r1"));
      await again();
      await hub().complete(second, run("other", "r1"));
      await again();
      expect((await attempts(task))[0]).toMatchObject({ outcome });
    },
  );

  test.each([
    ["release", { op: "release", reason: "busy" }],
    ["fail", { op: "fail", error: "busy", retryable: true }],
  ] as const)("a %s that is said again although the task was cancelled meanwhile counted, too", async (_, said) => {
    const { worker, task } = await held({ backoff_ms: 0 });
    const ending = { ...said, attempt: 1 };
    await hub().change(task, ending, worker);
    const cancelled = await hub().change(task, { op: "cancel" }, BOSS);
    const { head } = hub();
    expect(await hub().change(task, ending, worker)).toEqual(cancelled);
    expect(hub().head).toBe(head);
  });

  test("without its attempt, it is a repeat only until anything else happens to the task", async () => {
    const detached = { claude_id: hub().newName("worker"), run: null, attached: false };
    const sent = await hub().send({ to_claude: detached.claude_id, backoff_ms: 0 });
    const task = await hub().claim(sent, detached);
    const says = (command: object) => hub().change(task, command as never, detached);
    const failure = { op: "fail", error: "busy", retryable: true };
    const resting = await says(failure);
    const { head } = hub();
    expect(await says(failure)).toEqual(resting);
    expect(hub().head).toBe(head);
    const other = run("other", "r1");
    const second = await hub().claim(task, other);
    await expect(says(failure)).rejects.toMatchObject({ code: "lease_lost" });
    await hub().complete(second, other);
    await expect(says(failure)).rejects.toMatchObject({ code: "wrong_status" });
  });

  test("a retryable failure in other words is kept as late, and is not answered as if it had counted", async () => {
    const { worker, task } = await held();
    await hub().failRetryable(task, worker);
    const otherwise = { op: "fail", error: "disk full", retryable: true, attempt: 1 } as const;
    await expect(hub().change(task, otherwise, worker)).rejects.toMatchObject({ code: "wrong_status" });
    expect(await attempts(task)).toMatchObject([{ outcome: "requeued", late: true }]);
  });

  test("a try that ended otherwise, or was another's, is no repeat", async () => {
    const { worker, task } = await held({ backoff_ms: 0 });
    await hub().change(task, { op: "release", attempt: 1, reason: "busy" }, worker);
    const says = (command: object, by = worker) =>
      expect(hub().change(task, { attempt: 1, ...command } as never, by)).rejects;
    await says({ op: "release" }).toMatchObject({ code: "wrong_status" });
    await says({ op: "release", reason: "busy" }, run(worker.claude_id, "r2")).toMatchObject({ code: "wrong_status" });
    const second = await hub().claim(task, worker);
    await says({ op: "release", reason: "busy", attempt: undefined }).toMatchObject({ code: "invalid_params" });
    await says({ op: "complete" }).toMatchObject({ code: "lease_lost" });
    await says({ op: "fail", error: "busy" }).toMatchObject({ code: "lease_lost" });
    await hub().failRetryable(second, worker);
    await hub().claim(task, worker);
    await expect(hub().fail(second, worker)).rejects.toMatchObject({ code: "lease_lost" });
    expect(await attempts(task)).toMatchObject([{ late: true }, { late: true }, { outcome: "in_progress" }]);
  });

  test("a task that is cancelled while it waits for its next try is nobody's", async () => {
    const { worker, task } = await held();
    await hub().failRetryable(task, worker);
    const cancelled = await hub().change(task, { op: "cancel" }, BOSS);
    expect(cancelled).not.toHaveProperty("claimed_by");
    expect(cancelled).not.toHaveProperty("claimed_at");
  });

  test("of several queues the task that came first goes first, and of equals the more urgent", async () => {
    const worker = run(hub().newName("worker"), "r1");
    const [own, pool] = [worker.claude_id, `@${hub().newName("role")}`];
    const pooled = await hub().send({ to_claude: pool });
    hub().clock.advance(1);
    const mine = await hub().send({ to_claude: own });
    const urgent = await hub().send({ to_claude: pool, priority: "urgent" });
    const taken: string[] = [];
    for (let i = 0; i < 3; i++) {
      const { json } = await hub().outcome({ op: "claim_next", caller: worker, queues: [own, pool] });
      taken.push(JSON.parse(json as string).id);
    }
    expect(taken).toEqual([urgent.id, pooled.id, mine.id]);
  });

  test("retry refills the tries, never the fence", async () => {
    const { worker, task } = await held({ max_attempts: 1 });
    await hub().failRetryable(task, worker);
    expect(await hub().get(task)).toMatchObject({ status: "failed", failure: "attempts_exhausted", tries_left: 0 });
    const head = hub().head;
    const again = await hub().change(task, { op: "retry" }, BOSS);
    expect(again).toMatchObject({ status: "pending", attempt: 1, tries_left: 1 });
    expect(again).not.toHaveProperty("failure");
    expect(await kindsSince(head)).toEqual(["requeued", "ready"]);
    await expect(hub().change(task, { op: "retry" }, BOSS)).rejects.toMatchObject({ code: "wrong_status" });
    const second = await hub().claimNext(worker);
    expect(second).toMatchObject({ id: task.id, attempt: 2 });
    await expect(hub().complete(task, worker, "old")).rejects.toMatchObject({ code: "lease_lost" });
    await hub().complete(second as Message, worker, "new");
    expect(await attempts(task)).toMatchObject([
      { attempt: 1, outcome: "failed", error: "broken", late: true },
      { attempt: 2, outcome: "complete" },
    ]);
  });

  test("retry of an expired task gives it all the time there is", async () => {
    const worker = run(hub().newName("worker"), "r1");
    const task = await hub().send({ to_claude: worker.claude_id, expires_at: hub().now + SECOND });
    hub().clock.advance(SECOND);
    await hub().wake();
    expect(await hub().get(task)).toMatchObject({ failure: "expired" });
    expect(await hub().change(task, { op: "retry" }, BOSS)).not.toHaveProperty("expires_at");
    await hub().wake();
    expect(await hub().claimNext(worker)).toMatchObject({ id: task.id });
  });

  test("extend outlasts the connection, and nothing outlasts the time-out", async () => {
    const { worker, task } = await held({ timeout_ms: 20 * MINUTE });
    const extended = await hub().change(task, { op: "extend", attempt: 1, lease_ms: 10 * MINUTE }, worker);
    expect(extended).toMatchObject({ lease: "kept", seq: task.seq });
    expect(Date.parse(extended.lease_until as string)).toBe(hub().now + 10 * MINUTE);
    await hub().commit({ op: "lapse", holder: worker, forMs: LEASE.graceMs });
    hub().clock.advance(10 * MINUTE - 1);
    await hub().wake();
    expect(await hub().get(task)).toMatchObject({ status: "in_progress", lease: "expiring" });
    hub().clock.advance(1);
    await hub().wake();
    expect(await hub().get(task)).toMatchObject({ status: "pending" });
    const next = await held({ timeout_ms: MINUTE });
    await hub().change(next.task, { op: "extend", attempt: 1, lease_ms: 10 * MINUTE }, next.worker);
    hub().clock.advance(MINUTE);
    await hub().wake();
    expect(await hub().get(next.task)).toMatchObject({ status: "pending" });
  });

  test("extend lengthens a detached claim, and is for its holder alone", async () => {
    const worker = name(hub().newName("worker"));
    const task = await hub().claim(await hub().send({ to_claude: worker.claude_id }), worker);
    expect(task).toMatchObject({ lease: "detached" });
    const extended = await hub().change(task, { op: "extend", lease_ms: 60 * MINUTE }, worker);
    expect(Date.parse(extended.lease_until as string)).toBe(hub().now + 60 * MINUTE);
    const other = hub().change(task, { op: "extend" }, name("other"));
    await expect(other).rejects.toMatchObject({ code: "lease_lost" });
    hub().clock.advance(60 * MINUTE - 1);
    expect(await hub().get(task)).toMatchObject({ lease: "detached" });
  });

  test("progress is in the message until the next attempt, and survives a restart of the reader", async () => {
    const { worker, task } = await held();
    const told = await hub().change(task, { op: "progress", attempt: 1, percent: 40, note: "half" }, worker);
    expect(told.progress).toEqual({ at: new Date(hub().now).toISOString(), percent: 40, note: "half" });
    const stale = hub().change(task, { op: "progress", attempt: 0, percent: 50 }, worker);
    await expect(stale).rejects.toMatchObject({ code: "lease_lost" });
    await hub().release(task, worker);
    expect(await hub().get(task)).toHaveProperty("progress");
    expect(await hub().claim(task, worker)).not.toHaveProperty("progress");
  });

  test("seen is said once, by the recipient, and implies delivered", async () => {
    const reader = name(hub().newName("reader"));
    const chat = await hub().send({ to_claude: reader.claude_id, type: "chat" });
    await expect(hub().change(chat, { op: "seen" }, BOSS)).rejects.toMatchObject({ code: "not_recipient" });
    const head = hub().head;
    const seen = await hub().change(chat, { op: "seen" }, reader);
    expect(seen.seen_at).toBe(seen.delivered_at);
    expect(await hub().change(chat, { op: "seen" }, reader)).toEqual(seen);
    expect(await kindsSince(head)).toEqual(["seen"]);
    await hub().commit({ op: "delivered", reader: reader.claude_id, ids: [chat.id] });
    expect(await kindsSince(head)).toEqual(["seen"]);
  });

  test("a chat is neither cancelled nor retried", async () => {
    const chat = await hub().send({ to_claude: "reader", type: "chat" });
    for (const op of ["cancel", "retry", "extend", "progress"] as const) {
      await expect(hub().change(chat, { op }, BOSS)).rejects.toMatchObject({ code: "not_a_task" });
    }
  });

  test("lists find tasks by what keeps them", async () => {
    const kept = run(hub().newName("kept"), "r1");
    const gone = lostRun(hub().newName("gone"), "r1");
    const detached = name("detached");
    const to_claude = kept.claude_id;
    const ids: Record<string, string> = {};
    for (const [state, holder] of Object.entries({ kept, expiring: gone, detached })) {
      ids[state] = (await hub().claim(await hub().send({ to_claude }), holder)).id;
    }
    await hub().change({ id: ids.expiring as string }, { op: "extend", attempt: 1, lease_ms: 10 * MINUTE }, gone);
    for (const lease of ["kept", "expiring", "detached"] as const) {
      const { messages } = await hub().list({ to_claude, lease });
      expect(messages.map(({ id, lease: told }) => [id, told])).toEqual([[ids[lease], lease]]);
    }
  });
};
