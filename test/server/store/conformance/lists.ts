/** Lists: filters, order, and paging that neither skips nor repeats. */
import { expect, test } from "vitest";
import type { ListFilter } from "../../../../server/store/store.ts";
import { LIMITS } from "../../../../shared/limits.ts";
import type { Message } from "../../../../shared/message.ts";
import { FAILURES, STATUSES, TYPES } from "../../../../shared/vocabulary.ts";
import { seededRandom } from "../../../support/random.ts";
import { name } from "../../core/support.ts";
import { type Section, type StoreDriver, sending } from "../driver.ts";

const FIELDS = ["to_claude", "from_claude", "status", "type", "thread_id", "failure"] as const;
type Filter = Pick<ListFilter, (typeof FIELDS)[number] | "delivered">;

const matches = (filter: Filter) => (message: Message) =>
  (filter.delivered === undefined || (message.delivered_at !== undefined) === filter.delivered) &&
  FIELDS.every((field) => filter[field] === undefined || filter[field] === message[field]);

const ids = (messages: readonly Message[]) => messages.map(({ id }) => id);

/** A chat is for its recipient alone. */
const whoTakes = ({ type, to_claude }: Message) => name(type === "chat" && to_claude !== "*" ? to_claude : "cid");

/** Messages in every status, of two senders, three recipients and three threads. */
async function fill(hub: StoreDriver, count: number): Promise<void> {
  const random = seededRandom();
  for (let i = 0; i < count; i++) {
    const type = random.pick(TYPES);
    const said = {
      from_claude: random.pick(["ann", "ben"]),
      to_claude: random.pick(type === "chat" ? ["cid", "dan", "*"] : ["cid", "dan"]),
      type,
      ...(random.next() < 0.5 && { thread_id: random.pick(["t1", "t2"]) }),
      ...(random.next() < 0.1 && { expires_at: hub.now + 1 }),
    };
    const message = await hub.send(said);
    if (message.expires_at) {
      hub.clock.advance(1);
      await hub.wake();
      continue;
    }
    const [holder, turn] = [whoTakes(message), random.int(4)];
    if (turn === 0) continue;
    const held = await hub.claim(message, holder);
    if (turn === 2) await hub.complete(held, holder);
    if (turn === 3) await hub.fail(held, holder);
  }
}

const pickSome = <T extends object>(random: { next(): number }, whole: T): Partial<T> =>
  Object.fromEntries(Object.entries(whole).filter(() => random.next() < 0.4)) as Partial<T>;

export const lists: Section = (hub) => {
  let everything: Message[];

  test("without a filter: everything, oldest first, at the position of the log", async () => {
    await fill(hub(), 120);
    const { messages, next, seq } = await hub().list();
    everything = messages;
    expect(messages).toHaveLength(120);
    expect(ids(messages)).toEqual(ids(messages).sort());
    expect(new Set(messages.map(({ status }) => status))).toEqual(new Set(STATUSES));
    expect([next, seq]).toEqual([null, hub().head]);
  });

  test("each filter alone, and each pair of them, also those that no index answers", async () => {
    const values = {
      to_claude: ["cid", "dan", "*", "nobody"],
      from_claude: ["ann", "ben", "nobody"],
      status: STATUSES,
      type: TYPES,
      thread_id: ["t1", "t2", "t3"],
      failure: FAILURES,
    };
    const filters: Filter[] = FIELDS.flatMap((field) => values[field].map((value) => ({ [field]: value })));
    filters.push({ delivered: true }, { delivered: false });
    for (const a of filters) {
      for (const b of filters) {
        const filter = { ...a, ...b };
        expect(ids(await hub().all(filter)), JSON.stringify(filter)).toEqual(ids(everything.filter(matches(filter))));
      }
    }
  });

  test("any combination, in any order, page and offset", async () => {
    const random = seededRandom();
    for (let i = 0; i < 150; i++) {
      const filter = pickSome(random, {
        to_claude: random.pick(["cid", "dan", "*"]),
        from_claude: random.pick(["ann", "ben"]),
        status: random.pick(STATUSES),
        type: random.pick(TYPES),
        thread_id: random.pick(["t1", "t2"]),
        failure: random.pick(["error", "expired"] as const),
      });
      const order = random.pick(["asc", "desc"] as const);
      const [limit, offset] = [1 + random.int(20), random.int(10)];
      const found = everything.filter(matches(filter));
      if (order === "desc") found.reverse();
      const request = JSON.stringify({ ...filter, order, limit, offset });
      const { messages, next } = await hub().list({ ...filter, order, limit, offset });
      expect(ids(messages), request).toEqual(ids(found.slice(offset, offset + limit)));
      expect(next === null, request).toBe(found.length <= offset + limit);
      expect(ids(await hub().all({ ...filter, order, limit })), request).toEqual(ids(found));
    }
  });

  test("what is ready: chats, and tasks that can be claimed, as time and other tasks allow", async () => {
    const [to_claude, ann] = [hub().newName("worker"), name("ann")];
    const first = await hub().send({ to_claude: "ann" });
    const chat = await hub().send({ to_claude, type: "chat" });
    const tried = await hub().send({ to_claude });
    const blocked = await hub().send({ to_claude, after: [first.id] });
    const early = await hub().send({ to_claude, not_before: hub().now + 60_000 });
    await hub().failRetryable(await hub().claim(tried, name(to_claude)), name(to_claude));
    const held = await hub().claim(await hub().send({ to_claude }), name(to_claude));
    const ready = async (ready: boolean, status?: "pending") => ids(await hub().all({ to_claude, ready, status }));
    expect(await ready(true)).toEqual(ids([chat]));
    expect(await ready(false, "pending")).toEqual(ids([tried, blocked, early]));
    expect(await ready(false)).toEqual(ids([tried, blocked, early, held]));
    await hub().complete(await hub().claim(first, ann), ann);
    hub().clock.advance(60_000);
    await hub().wake();
    expect(await ready(true, "pending")).toEqual(ids([chat, tried, blocked, early]));
    expect(await ready(false)).toEqual(ids([held]));
  });

  test("paging goes on where it ended, though everything from there on is deleted meanwhile", async () => {
    const to_claude = hub().newName("worker");
    const sent = [await hub().send({ to_claude }), await hub().send({ to_claude })];
    const { next } = await hub().list({ to_claude, limit: 1 });
    for (const gone of sent) await hub().delete(gone);
    const late = await hub().send({ to_claude });
    expect(ids((await hub().list({ to_claude, next: next as string })).messages)).toEqual(ids([late]));
  });

  test("paging goes on where it ended, though messages come and go meanwhile", async () => {
    const to_claude = hub().newName("worker");
    const sent: Message[] = [];
    for (let i = 0; i < 10; i++) sent.push(await hub().send({ to_claude }));
    const first = await hub().list({ to_claude, limit: 4 });
    for (const gone of [sent[1], sent[3], sent[5]]) await hub().delete(gone as Message);
    const late = await hub().send({ to_claude });
    const second = await hub().list({ to_claude, limit: 4, next: first.next as string });
    const third = await hub().list({ to_claude, limit: 4, next: second.next as string });
    const expected = [0, 1, 2, 3, 4, 6, 7, 8, 9].map((i) => sent[i] as Message);
    expect(ids([...first.messages, ...second.messages, ...third.messages])).toEqual(ids([...expected, late]));
    expect(third.next).toBeNull();
  });

  test("newest first, paging goes back and never sees what came meanwhile", async () => {
    const to_claude = hub().newName("worker");
    const sent: Message[] = [];
    for (let i = 0; i < 6; i++) sent.push(await hub().send({ to_claude }));
    const first = await hub().list({ to_claude, order: "desc", limit: 3 });
    await hub().send({ to_claude });
    await hub().delete(sent[0] as Message);
    const second = await hub().list({ to_claude, order: "desc", limit: 3, next: first.next as string });
    expect(ids([...first.messages, ...second.messages])).toEqual(ids(sent.slice(1).reverse()));
    expect(second.next).toBeNull();
  });

  test("a list is bounded in size, but always at least one message", async () => {
    const to_claude = hub().newName("worker");
    const context = "x".repeat(900_000);
    for (let i = 0; i < 5; i++) await hub().send({ to_claude, context });
    const { messages, next } = await hub().list({ to_claude });
    expect(messages).toHaveLength(Math.floor(LIMITS.list_bytes / (context.length + 400)));
    expect(next).not.toBeNull();
    expect(await hub().all({ to_claude })).toHaveLength(5);
  });

  test("many messages that do not match are passed over", async () => {
    const to_claude = hub().newName("worker");
    const batch = Array.from({ length: 250 }, () => sending({ to_claude, type: "chat" }));
    for (let i = 0; i < 10; i++) await hub().commit(...batch);
    const task = await hub().send({ to_claude });
    const { messages, next, seq } = await hub().list({ to_claude, type: "task" });
    expect([ids(messages), next, seq]).toEqual([[task.id], null, hub().head]);
    expect((await hub().list({ to_claude, limit: 10, offset: 2_495 })).messages).toHaveLength(6);
  });

  test("lists asked for at once, and commits between them: each at a position of its own", async () => {
    const to_claude = hub().newName("worker");
    const asked = Array.from({ length: 8 }, async () => {
      void hub().send({ to_claude });
      return hub().list({ to_claude });
    });
    for (const { messages, seq } of await Promise.all(asked)) {
      for (const message of messages) expect(message.seq).toBeLessThanOrEqual(seq);
      expect(messages.length).toBe(hub().live.filter((entry) => entry.to === to_claude && entry.seq <= seq).length);
    }
  });

  test("a list that takes many steps is of one position, though commits go on meanwhile", async () => {
    const to_claude = hub().newName("worker");
    const batch = Array.from({ length: 250 }, () => sending({ to_claude, type: "chat" }));
    for (let i = 0; i < 12; i++) await hub().commit(...batch);
    const asked = [hub().list({ to_claude, type: "task" })];
    for (let i = 0; i < 20; i++) {
      void hub().send({ to_claude });
      if (i % 5 === 0) asked.push(hub().list({ to_claude, type: "task" }));
    }
    for (const { messages, seq } of await Promise.all(asked)) {
      const sent = hub().live.filter((entry) => entry.to === to_claude && entry.seq <= seq);
      expect(messages).toHaveLength(sent.length - 3_000);
    }
  });

  test.each(["", "x", "-1", "0", "1.5", "1e3", "9".repeat(16), "12 "])("next %j is not a place", async (next) => {
    await expect(hub().list({ next })).rejects.toMatchObject({ code: "invalid_params", details: { field: "next" } });
    expect((await hub().list({ limit: 1 })).messages).toHaveLength(1);
  });
};
