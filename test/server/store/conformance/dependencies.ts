/** Tasks that wait for others: ready when all are complete, failed when one fails for good, never stuck. */
import { expect, test } from "vitest";
import type { Message } from "../../../../shared/message.ts";
import { MINUTE, name, run, SECOND } from "../../core/support.ts";
import type { Section } from "../driver.ts";

const BOSS = name("boss");

export const dependencies: Section = (hub) => {
  const worker = run("builder", "r1");
  const send = (after?: Message[], more: object = {}) =>
    hub().send({ to_claude: "builder", ...(after && { after: after.map(({ id }) => id) }), ...more });
  const finish = async (task: Message) => hub().complete(await hub().claim(task, worker), worker);

  test("becomes ready when all are complete, not before", async () => {
    const [a, b] = [await send(), await send()];
    const last = await send([a, b]);
    expect(last.after).toEqual([a.id, b.id]);
    await expect(hub().claim(last, worker)).rejects.toMatchObject({
      code: "not_ready",
      message: "Task waits for 2 of 2 others to be complete",
      details: { waits_for: [a.id, b.id] },
    });
    await finish(a);
    await expect(hub().claim(last, worker)).rejects.toMatchObject({ code: "not_ready" });
    await finish(b);
    expect((await hub().eventsOf(last)).map(({ kind }) => kind)).toEqual(["new", "ready"]);
    await finish(last);
  });

  test("waits for its time, too", async () => {
    const first = await send();
    const later = await send([first], { not_before: hub().now + MINUTE });
    await finish(first);
    await expect(hub().claim(later, worker)).rejects.toMatchObject({ code: "not_ready" });
    hub().clock.advance(MINUTE);
    await hub().wake();
    await finish(later);
  });

  test("what is complete already is not waited for", async () => {
    const first = await finish(await send());
    await finish(await send([first]));
  });

  test.each(["failed", "cancelled", "deleted", "expired"])("fails when one has %s, and so on", async (how) => {
    const first = await send(undefined, how === "expired" ? { expires_at: hub().now + SECOND } : {});
    const chain = [await send([first])];
    for (let i = 0; i < 3; i++) chain.push(await send([chain.at(-1) as Message]));
    if (how === "failed") await hub().fail(await hub().claim(first, worker), worker);
    else if (how === "cancelled") await hub().change(first, { op: "cancel" }, BOSS);
    else if (how === "deleted") await hub().delete(first);
    else {
      hub().clock.advance(SECOND);
      await hub().wake();
    }
    for (const one of chain) expect(await hub().get(one)).toMatchObject({ status: "failed", failure: "dependency" });
    const late = await send([chain[0] as Message]);
    expect(late).toMatchObject({ status: "failed", failure: "dependency" });
  });

  test("a try that failed is not failed for good", async () => {
    const first = await send(undefined, { backoff_ms: 0 });
    const next = await send([first]);
    await hub().failRetryable(await hub().claim(first, worker), worker);
    expect(await hub().get(next)).toMatchObject({ status: "pending" });
    await finish(first);
    await finish(next);
  });

  test("is retried once those that it waits for are", async () => {
    const first = await send();
    const next = await send([first]);
    await hub().change(first, { op: "cancel" }, BOSS);
    await expect(hub().change(next, { op: "retry" }, BOSS)).rejects.toMatchObject({
      code: "wrong_status",
      details: { waits_for: first.id },
    });
    await hub().change(first, { op: "retry" }, BOSS);
    await hub().change(next, { op: "retry" }, BOSS);
    await expect(hub().claim(next, worker)).rejects.toMatchObject({ code: "not_ready" });
    await finish(first);
    await finish(next);
  });

  test("only of what exists, so that nothing waits in a circle; and only a task", async () => {
    const nothing = { id: "f".repeat(32) } as Message;
    await expect(send([nothing])).rejects.toMatchObject({ code: "not_found", details: { field: "after" } });
    await expect(send([await send()], { type: "chat" })).rejects.toMatchObject({ code: "not_a_task" });
  });

  test("a long chain fails in portions, and each portion makes itself due", async () => {
    const first = await send();
    const ids = [first.id];
    for (let i = 0; i < 600; i++) {
      const { outcomes } = await hub().commit({
        op: "send",
        said: { from_claude: "boss", to_claude: "builder", task: "link", after: [ids.at(-1) as string] },
      });
      ids.push(JSON.parse((outcomes[0] as { json: string }).json).id);
    }
    await hub().change(first, { op: "cancel" }, BOSS);
    expect(await hub().get({ id: ids.at(-1) as string })).toMatchObject({ status: "pending" });
    for (let i = 0; i < 9; i++) {
      expect(hub().wakeAt).toBe(hub().now);
      await hub().wake();
      if ((await hub().get({ id: ids.at(-1) as string }))?.status === "failed") break;
    }
    expect(await hub().get({ id: ids.at(-1) as string })).toMatchObject({ failure: "dependency" });
  });

  test("a trace goes on through replies and parts", async () => {
    const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    const task = await send(undefined, { traceparent });
    const part = await send(undefined, { parent_id: task.id });
    const reply = await send(undefined, { reply_to: part.id });
    const alone = await send();
    const traceOf = ({ traceparent: told }: Message) => told?.split("-")[1];
    expect([task, part, reply].map(traceOf)).toEqual(Array(3).fill("0af7651916cd43dd8448eb211c80319c"));
    expect(new Set([task, part, reply].map((one) => one.traceparent)).size).toBe(3);
    expect(alone.traceparent).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
    expect(traceOf(alone)).not.toBe(traceOf(task));
  });
};
