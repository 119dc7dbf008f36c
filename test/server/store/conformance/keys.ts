/** Idempotency keys: every accepted send with the same key is one message (I8). */
import { expect, test } from "vitest";
import type { OutcomeOf } from "../../../../server/store/outcomes.ts";
import { name } from "../../core/support.ts";
import { type Section, sending } from "../driver.ts";

export const keys: Section = (hub) => {
  test("the same key with the same body is the first message again", async () => {
    const [boss, worker] = [hub().newName("boss"), hub().newName("worker")];
    const send = sending({ from_claude: boss, to_claude: worker, context: "c", priority: "high" }, "k");
    const first = await hub().outcome(send);
    const { entries, outcomes } = await hub().commit(send);
    expect(entries).toEqual([]);
    expect(outcomes[0]).toEqual({ ...first, deduplicated: true });
    expect((await hub().list({ to_claude: worker })).messages).toHaveLength(1);
  });

  test("a repeat that says what the first left to the default is the same body", async () => {
    const boss = hub().newName("boss");
    const more = { priority: "high" as const, thread_id: "t" };
    const said = { from_claude: boss, to_claude: hub().newName("worker"), task: "t", ...more };
    const first = await hub().send(said, "k");
    const { priority, thread_id, ...before } = said;
    const whole = { ...before, type: "task" as const, priority, thread_id }; // as the table orders them
    expect((await hub().send(whole, "k")).id).toBe(first.id);
  });

  test("a repeat tells the message as it is by now", async () => {
    const worker = hub().newName("worker");
    const said = { from_claude: hub().newName("boss"), to_claude: worker };
    const first = await hub().send(said, "k");
    const done = await hub().complete(await hub().claim(first, name(worker)), name(worker), "42");
    expect(await hub().send(said, "k")).toEqual(done);
  });

  test("what would have expired already is refused, a repeat of what was accepted is not", async () => {
    const said = { from_claude: hub().newName("boss"), to_claude: hub().newName("worker"), expires_at: hub().now + 1 };
    const first = await hub().send(said, "k");
    hub().clock.advance(1);
    const time = new Date(hub().now).toISOString();
    const message = `expires_at has passed: it is ${time} by the hub's clock`;
    const refused = { code: "invalid_params", message, details: { field: "expires_at" } };
    for (const key of [undefined, "another"]) await expect(hub().send(said, key)).rejects.toMatchObject(refused);
    expect((await hub().send(said, "k")).id).toBe(first.id);
    expect((await hub().send({ ...said, expires_at: hub().now + 1 }, "another")).id).not.toBe(first.id);
    expect(await hub().all({ to_claude: said.to_claude })).toHaveLength(2);
  });

  test("a type that was left out is the type task", async () => {
    const said = { from_claude: hub().newName("boss"), to_claude: hub().newName("worker") };
    const first = await hub().send(said, "k");
    expect(await hub().send({ ...said, type: "task" }, "k")).toEqual(first);
  });

  test("within one batch, too", async () => {
    const send = sending({ from_claude: hub().newName("boss"), to_claude: hub().newName("worker") }, "k");
    const { outcomes, entries } = await hub().commit(send, send, send);
    expect(entries).toHaveLength(1);
    expect((outcomes as OutcomeOf<"send">[]).map((outcome) => outcome.ok && outcome.deduplicated)).toEqual([
      false,
      true,
      true,
    ]);
  });

  test.each([
    ["task", { task: "another" }],
    ["context", { context: "another" }],
    ["recipient", { to_claude: "another" }],
    ["type", { type: "chat" }],
    ["wish", { priority: "low" }],
  ] as const)("with another %s it is refused, and the first message stays as it is", async (_what, other) => {
    const said = { from_claude: hub().newName("boss"), to_claude: hub().newName("worker") };
    const first = await hub().send(said, "k");
    const conflict = { code: "idempotency_conflict", details: { id: first.id } };
    await expect(hub().send({ ...said, ...other }, "k")).rejects.toMatchObject(conflict);
    expect(await hub().get(first)).toEqual(first);
    expect((await hub().list({ from_claude: said.from_claude })).messages).toHaveLength(1);
  });

  test("a key belongs to its sender", async () => {
    const worker = hub().newName("worker");
    const mine = await hub().send({ from_claude: hub().newName("boss"), to_claude: worker }, "k");
    const theirs = await hub().send({ from_claude: hub().newName("boss"), to_claude: worker }, "k");
    expect(theirs.id).not.toBe(mine.id);
  });

  test("another key, or none, is another message", async () => {
    const said = { from_claude: hub().newName("boss"), to_claude: hub().newName("worker") };
    for (const key of ["k", "K", "k ", undefined, undefined]) await hub().send(said, key);
    expect((await hub().list({ from_claude: said.from_claude })).messages).toHaveLength(5);
  });

  test("a key outlives its message: the repeat gets a tombstone, another body is still refused", async () => {
    const said = { from_claude: hub().newName("boss"), to_claude: hub().newName("worker") };
    const first = await hub().send(said, "k");
    await hub().delete(first);
    hub().clock.advance(60_000);
    const again = await hub().outcome(sending(said, "k"));
    expect(again.deduplicated).toBe(true);
    expect(JSON.parse(again.json)).toMatchObject({ id: first.id, ...said, erased: true, task: "" });
    expect(JSON.parse(again.json)).toMatchObject({ created_at: first.created_at, updated_at: first.created_at });
    await expect(hub().send({ ...said, task: "another" }, "k")).rejects.toMatchObject({ code: "idempotency_conflict" });
    expect((await hub().list({ from_claude: said.from_claude })).messages).toEqual([]);
  });

  test("a send that was refused has not used up its key", async () => {
    const from_claude = hub().newName("boss");
    await expect(hub().send({ from_claude, to_claude: "*" }, "k")).rejects.toMatchObject({ code: "not_a_task" });
    expect(await hub().send({ from_claude, to_claude: "*", type: "chat" }, "k")).toMatchObject({ type: "chat" });
  });
};
