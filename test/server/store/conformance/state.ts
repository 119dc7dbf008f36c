/** State = fold(events): the list read at any cursor is an earlier list with the events between (I5). */
import { expect, test } from "vitest";
import type { Message } from "../../../../shared/message.ts";
import { MINUTE, name, run } from "../../core/support.ts";
import type { Section, StoreDriver } from "../driver.ts";
import { comparable, folded } from "../fold.ts";

const HOLDER = run("worker", "r1");

type Story = (hub: StoreDriver, said: { to_claude: string }) => Promise<unknown>;

/** Lives that a message can have, each through other transitions. */
const STORIES: Record<string, Story> = {
  "claimed, completed": async (hub, said) => hub.complete(await hub.claim(await hub.send(said), HOLDER), HOLDER),
  "completed without a claim": async (hub, said) => hub.complete(await bare(hub.send(said)), name(said.to_claude)),
  "failed for good": async (hub, said) => hub.fail(await hub.claim(await hub.send(said), HOLDER), HOLDER),
  "failed by the sender without a claim": async (hub, said) => hub.fail(await bare(hub.send(said)), name("boss")),
  "delivered, claimed, released": async (hub, said) => {
    const task = await hub.send(said);
    await hub.commit({ op: "delivered", reader: said.to_claude, ids: [task.id] });
    await hub.release(await hub.claim(task, HOLDER), HOLDER);
  },
  "released, then failed by the sender": async (hub, said) => {
    const task = await hub.release(await hub.claim(await hub.send(said), HOLDER), HOLDER);
    await hub.fail({ ...task, attempt: undefined as never }, name("boss"));
  },
  "failed retryably, claimed again, completed": async (hub, said) => {
    const task = await hub.send(said);
    await hub.failRetryable(await hub.claim(task, HOLDER), HOLDER);
    hub.clock.advance(MINUTE);
    await hub.wake();
    await hub.complete(await hub.claim(task, HOLDER), HOLDER);
  },
  "failed retryably without a rest, after having waited": async (hub, said) => {
    const task = await hub.send({ ...said, backoff_ms: 0, not_before: hub.now + MINUTE });
    hub.clock.advance(MINUTE);
    await hub.wake();
    await hub.failRetryable(await hub.claim(task, HOLDER), HOLDER);
  },
  "timed out, then completed by its last holder": async (hub, said) => {
    const held = await hub.claim(await hub.send({ ...said, timeout_ms: 5 }), HOLDER);
    hub.clock.advance(5);
    await hub.wake();
    hub.clock.advance(5);
    await hub.complete(held, HOLDER);
  },
  "timed out, then failed by its last holder": async (hub, said) => {
    const held = await hub.claim(await hub.send({ ...said, timeout_ms: 5 }), HOLDER);
    hub.clock.advance(5);
    await hub.wake();
    hub.clock.advance(5);
    await hub.fail(held, HOLDER);
  },
  "timed out, then completed by the recipient": async (hub, said) => {
    const held = await hub.claim(await hub.send({ ...said, timeout_ms: 5 }), HOLDER);
    hub.clock.advance(5);
    await hub.wake();
    hub.clock.advance(5);
    await hub.complete(await bare(held), name(said.to_claude));
  },
  "timed out on the last try": async (hub, said) => {
    await hub.claim(await hub.send({ ...said, timeout_ms: 5, max_attempts: 1 }), HOLDER);
    hub.clock.advance(5);
    await hub.wake();
  },
  "released, then expired": async (hub, said) => {
    const task = await hub.send({ ...said, expires_at: hub.now + MINUTE });
    await hub.release(await hub.claim(task, HOLDER), HOLDER);
    hub.clock.advance(MINUTE);
    await hub.wake();
  },
  "waited, ready": async (hub, said) => {
    await hub.send({ ...said, not_before: hub.now + MINUTE });
    hub.clock.advance(MINUTE);
    await hub.wake();
  },
  deleted: async (hub, said) => hub.delete(await hub.claim(await hub.send(said), HOLDER)),
  "a chat, read and acknowledged": async (hub, said) => {
    const chat = await hub.send({ ...said, type: "chat" });
    hub.clock.advance(5);
    await hub.claim(chat, name(said.to_claude));
    hub.clock.advance(5);
    await hub.complete(chat, name(said.to_claude));
  },
  "a chat, acknowledged unread": async (hub, said) => {
    const chat = await hub.send({ ...said, type: "chat" });
    hub.clock.advance(5);
    await hub.complete(chat, name(said.to_claude));
  },
  "a chat, failed unread": async (hub, said) => {
    const chat = await hub.send({ ...said, type: "chat" });
    hub.clock.advance(5);
    await hub.fail(chat, name(said.to_claude));
  },
  "a chat, given back, expired": async (hub, said) => {
    const chat = await hub.send({ ...said, type: "chat", expires_at: hub.now + MINUTE });
    await hub.release(await hub.claim(chat, name(said.to_claude)), name(said.to_claude));
    hub.clock.advance(MINUTE);
    await hub.wake();
  },
};

/** As a caller sees it who knows of no attempt. */
async function bare(message: Message | Promise<Message>): Promise<Message> {
  const { attempt: _attempt, ...rest } = await message;
  return rest;
}

export const state: Section = (hub) => {
  test.each(Object.entries(STORIES))("%s", async (_name, story) => {
    const worker = hub().newName("worker");
    const start = hub().head;
    await story(hub(), { to_claude: worker });
    const { messages, seq } = await hub().list({ to_claude: worker });
    expect(seq).toBe(hub().head);
    expect(folded([], await hub().events(worker, start))).toEqual(comparable(messages));
  });

  test("a chat to everyone, read and acknowledged by nobody in particular", async () => {
    const [reader, start] = [{ claude_id: null, run: null, attached: false }, hub().head];
    const chat = await hub().send({ to_claude: "*", type: "chat" });
    await hub().claim(chat, reader);
    expect(folded([], await hub().events(null, start))).toEqual(comparable([(await hub().get(chat)) as Message]));
    await hub().complete(chat, reader);
    expect(folded([], await hub().events(null, start))).toEqual(comparable([(await hub().get(chat)) as Message]));
  });

  test("from every list on the way to the last one", async () => {
    const worker = hub().newName("worker");
    const lists: Awaited<ReturnType<StoreDriver["list"]>>[] = [];
    const commit = hub().commit.bind(hub());
    hub().commit = async (...commands) => {
      const result = await commit(...commands);
      lists.push(await hub().list({ to_claude: worker }));
      return result;
    };
    try {
      for (const story of Object.values(STORIES)) await story(hub(), { to_claude: worker });
    } finally {
      hub().commit = commit;
    }
    const last = lists.at(-1) as (typeof lists)[number];
    expect(lists.length).toBeGreaterThan(60);
    const events = await hub().events(worker);
    for (const { messages, seq } of lists) {
      const between = events.filter((event) => event.seq > seq && event.seq <= last.seq);
      expect(folded(messages, between)).toEqual(comparable(last.messages));
    }
  });

  test("a message carries the seq of its last event, so that an older one can be ignored", async () => {
    const worker = hub().newName("worker");
    const task = await hub().send({ to_claude: worker, backoff_ms: 0 });
    const told = [
      task,
      await hub().claim(task, HOLDER),
      await hub().failRetryable({ ...task, attempt: 1 }, HOLDER),
      await hub().claim(task, HOLDER),
    ];
    const events = await hub().eventsOf(task);
    expect(events.map(({ kind }) => kind)).toEqual(["new", "claimed", "requeued", "ready", "claimed"]);
    const [first, second, , fourth, fifth] = events.map(({ seq }) => seq);
    expect(told.map(({ seq }) => seq)).toEqual([first, second, fourth, fifth]);
  });
};
