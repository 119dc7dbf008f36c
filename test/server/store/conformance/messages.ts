/** What is sent is kept, whole. */
import { expect, test } from "vitest";
import { NOW, name } from "../../core/support.ts";
import { type Section, sending } from "../driver.ts";

const iso = (ms: number) => new Date(ms).toISOString();

export const messages: Section = (hub) => {
  test("a message is told with everything the sender said, and what the hub made of it", async () => {
    const worker = hub().newName("worker");
    const wishes = {
      context: "which",
      thread_id: "t 1",
      reply_to: "r",
      parent_id: "p",
      timeout_ms: 7,
      max_attempts: 9,
      backoff_ms: 0,
      traceparent: "00-1-2-3",
    } as const;
    const times = { not_before: NOW - 1, expires_at: NOW + 1_000_000 };
    const { seq, id, ...sent } = await hub().send({ to_claude: worker, priority: "high", ...wishes, ...times });
    expect(id).toMatch(/^[0-9a-f]{32}$/);
    expect(seq).toBe(hub().head);
    expect(sent).toEqual({
      from_claude: "boss",
      to_claude: worker,
      task: "scrape",
      type: "task",
      status: "pending",
      created_at: iso(NOW),
      updated_at: iso(NOW),
      priority: "high",
      ...wishes,
      not_before: iso(NOW - 1),
      expires_at: iso(NOW + 1_000_000),
      attempt: 0,
      tries_left: 9,
    });
  });

  test("fields that are not set are left out", async () => {
    const { id: _id, seq: _seq, ...chat } = await hub().send({ to_claude: "*", type: "chat" });
    expect(chat).toEqual({
      from_claude: "boss",
      to_claude: "*",
      task: "scrape",
      type: "chat",
      status: "pending",
      traceparent: expect.stringMatching(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/),
      created_at: iso(NOW),
      updated_at: iso(NOW),
    });
  });

  test("the answer, a read of it and its place in a list are the same", async () => {
    const worker = hub().newName("worker");
    const sent = await hub().send({ to_claude: worker, context: "c" });
    expect(await hub().get(sent)).toEqual(sent);
    expect((await hub().list({ to_claude: worker })).messages).toEqual([sent]);
    const held = await hub().claim(sent, name(worker));
    const done = await hub().complete(held, name(worker), "42");
    expect(done).toMatchObject({ status: "complete", result: "42", attempt: 1, tries_left: 2, claimed_by: worker });
    expect(await hub().get(sent)).toEqual(done);
    expect((await hub().list({ to_claude: worker })).messages).toEqual([done]);
  });

  test.each([
    ["text of every kind", 'a\n\u0000\u001b[31m"\\\u2028é漢😀 <b>\u202e\ufeff'],
    ["the emptiest result", ""],
    ["a megabyte", "x".repeat(1024 * 1024)],
  ])("%s comes back byte for byte", async (_what, text) => {
    const worker = hub().newName("worker");
    const sent = await hub().send({ to_claude: worker, task: text || "t", context: text });
    const done = await hub().complete(await hub().claim(sent, name(worker)), name(worker), text);
    const read = await hub().get(sent);
    for (const message of [done, read]) expect(message).toMatchObject({ context: text, result: text });
    const [told, , ended] = await hub().eventsOf(sent);
    expect(told?.message.context).toBe(text);
    expect(ended?.message.result).toBe(text);
  });

  test("ids rise in the order of sending, also within a millisecond and while the clock steps back", async () => {
    const ids: string[] = [];
    const batch = Array.from({ length: 50 }, () => sending({ to_claude: hub().newName("worker") }));
    for (const step of [0, 1, -5_000, 0, 5_000]) {
      hub().clock.advance(step);
      for (const outcome of (await hub().commit(...batch)).outcomes) {
        ids.push(outcome.ok ? JSON.parse(outcome.json as string).id : "refused");
      }
    }
    expect(ids).toEqual([...new Set(ids)].sort());
    expect(ids.length).toBe(250);
  });

  test("a task to everyone is refused and leaves nothing behind", async () => {
    const before = await hub().list();
    await expect(hub().send({ to_claude: "*" })).rejects.toMatchObject({ code: "not_a_task" });
    expect(await hub().list()).toEqual(before);
  });

  test("what is not there is not found", async () => {
    const ghost = { id: "0".repeat(32) };
    expect(await hub().get(ghost)).toBeNull();
    await expect(hub().claim(ghost, name("w"))).rejects.toMatchObject({ code: "not_found", details: ghost });
    await expect(hub().delete(ghost)).rejects.toMatchObject({ code: "not_found", details: ghost });
  });

  test("a send tells how many wait for its recipient, and since when", async () => {
    const worker = hub().newName("worker");
    const first = await hub().outcome(sending({ to_claude: worker }));
    expect(first).toMatchObject({ deduplicated: false, waiting: 1, oldest: iso(hub().now) });
    const since = iso(hub().now);
    hub().clock.advance(1_000);
    expect(await hub().outcome(sending({ to_claude: worker, type: "chat" }))).toMatchObject({
      waiting: 2,
      oldest: since,
    });
    await hub().claimNext(name(worker));
    expect(await hub().outcome(sending({ to_claude: worker }))).toMatchObject({ waiting: 2, oldest: iso(hub().now) });
  });

  test("also when an older one comes back, or the oldest goes, in the same batch", async () => {
    const worker = name(hub().newName("worker"));
    const to_claude = worker.claude_id;
    const [old, older] = [await hub().send({ to_claude }), hub().now];
    const held = await hub().claim(old, worker);
    hub().clock.advance(1_000);
    const release = { op: "change", id: old.id, caller: worker, command: { op: "release", attempt: 1 } } as const;
    const remove = { op: "delete", id: old.id, caller: worker } as const;
    expect(held.attempt).toBe(1);
    const { outcomes } = await hub().commit(
      sending({ to_claude }),
      release,
      sending({ to_claude }),
      remove,
      sending({ to_claude }),
    );
    const sent = [outcomes[0], outcomes[2], outcomes[4]];
    const [before, now] = [iso(older), iso(hub().now)];
    expect(sent).toMatchObject([
      { waiting: 1, oldest: now },
      { waiting: 3, oldest: before },
      { waiting: 3, oldest: now },
    ]);
  });

  test("a chat is read, given back and acknowledged", async () => {
    const reader = name(hub().newName("reader"));
    const chat = await hub().send({ to_claude: reader.claude_id, type: "chat" });
    const read = await hub().claim(chat, reader);
    expect(read).toMatchObject({ status: "in_progress", claimed_by: reader.claude_id, delivered_at: iso(hub().now) });
    expect(read).not.toHaveProperty("attempt");
    expect(read).not.toHaveProperty("lease_until");
    expect(await hub().release(read, reader)).toMatchObject({ status: "pending" });
    expect(await hub().complete(chat, reader, "thanks")).toMatchObject({ status: "complete", result: "thanks" });
    const events = await hub().eventsOf(chat);
    expect(events.map(({ kind }) => kind)).toEqual(["new", "claimed", "released", "completed"]);
    const refused = hub().do({ op: "change", id: chat.id, caller: reader, command: { op: "claim", tasksOnly: true } });
    await expect(refused).rejects.toMatchObject({ code: "not_a_task" });
  });

  test("delivery is noted once, by its event, and not for what was claimed already", async () => {
    const worker = hub().newName("worker");
    const [first, second] = [await hub().send({ to_claude: worker }), await hub().send({ to_claude: worker })];
    await hub().claim(second, name(worker));
    const deliver = { op: "delivered", reader: worker, ids: [first.id, second.id, "gone"] } as const;
    hub().clock.advance(1_000);
    const { entries, outcomes } = await hub().commit(deliver, deliver);
    expect(outcomes.map((outcome) => outcome.ok && outcome.json)).toEqual(['{"count":2}', '{"count":2}']);
    expect(entries.map(({ kind, id }) => [kind, id])).toEqual([["delivered", first.id]]);
    expect(await hub().get(first)).toMatchObject({ delivered_at: iso(hub().now), seq: hub().head });
    const toOther = await hub().send({ to_claude: "other", type: "chat" });
    const others = await hub().commit({ op: "delivered", reader: worker, ids: [toOther.id] });
    expect([others.entries, others.outcomes]).toEqual([[], [{ ok: true, json: '{"count":0}' }]]);
  });

  test("what is for a pool is delivered to its members, and to nobody else", async () => {
    const chat = await hub().send({ to_claude: "@tester", type: "chat" });
    const counted = async (reader: string) => (await hub().outcome({ op: "delivered", reader, ids: [chat.id] })).json;
    expect(await counted("stranger")).toBe('{"count":0}');
    expect(await counted("eve @reviewer")).toBe('{"count":0}');
    expect(await hub().get(chat)).toEqual(chat);
    expect(await counted("eve @reviewer @tester")).toBe('{"count":1}');
    expect(await hub().get(chat)).toHaveProperty("delivered_at");
  });
};
