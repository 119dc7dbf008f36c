/** What may wait is bounded, for each recipient and of each sender; what counts is what counting would give. */
import { expect, test } from "vitest";
import { HubError } from "../../../../shared/errors.ts";
import type { Message } from "../../../../shared/message.ts";
import { seededRandom } from "../../../support/random.ts";
import { name, run, SECOND } from "../../core/support.ts";
import type { Section, StoreDriver } from "../driver.ts";
import { TIGHT } from "./tight.ts";

const { pending_per_recipient: MOST_FOR, pending_per_sender: MOST_OF } = TIGHT;

/** Whether a message waits to be taken: a chat does until its recipient has it, or all whom it is for have. */
async function waits(hub: StoreDriver, { id, status, type, to_claude, delivered_at }: Message): Promise<boolean> {
  if (status !== "pending" || (type === "chat" && delivered_at !== undefined)) return false;
  const receipts: object[] = to_claude === "*" ? JSON.parse((await hub.store.receipts(id)) as string) : [{}];
  return receipts.some((receipt) => !("delivered_at" in receipt));
}

const arrive = (hub: StoreDriver, ...names: string[]) => {
  const transitions = names.map((claude_id) => ({ claude_id, state: "online" as const, at: hub.now }));
  return hub.commit({ op: "presence", transitions });
};

/** What is expected of a send, found by looking at every message. */
async function verdict(hub: StoreDriver, from_claude: string, to_claude: string) {
  const all = await hub.all();
  const looks = await Promise.all(all.map((message) => waits(hub, message)));
  const waiting = all.filter((_, i) => looks[i]);
  const forRecipient = to_claude === "*" ? 0 : waiting.filter((message) => message.to_claude === to_claude).length;
  const ofSender = waiting.filter((message) => message.from_claude === from_claude).length;
  if (forRecipient >= MOST_FOR) return { code: "recipient_full", details: { waiting: forRecipient, limit: MOST_FOR } };
  if (ofSender >= MOST_OF) return { code: "sender_full", details: { waiting: ofSender, limit: MOST_OF } };
  return undefined;
}

async function told(sending: Promise<unknown>): Promise<HubError | undefined> {
  try {
    await sending;
    return undefined;
  } catch (error) {
    if (error instanceof HubError) return error;
    throw error;
  }
}

export const backlog: Section = (hub) => {
  const fill = async (to_claude: string, from_claude: string) => {
    for (let i = 0; i < MOST_FOR; i++) await hub().send({ from_claude, to_claude });
  };
  const chatTo = (to_claude: string, from_claude: string) => hub().send({ from_claude, to_claude, type: "chat" });
  /** All who have a receipt of a chat to everyone get it. */
  const reachAll = async ({ id }: Message) => {
    const receipts: { recipient: string }[] = JSON.parse((await hub().store.receipts(id)) as string);
    for (const { recipient } of receipts) await hub().commit({ op: "delivered", reader: recipient, ids: [id] });
  };
  const names = () => [hub().newName("worker"), hub().newName("boss")] as [string, string];

  test("a recipient that is full is sent nothing more, with the numbers, until it has taken something", async () => {
    const [worker, boss] = names();
    await fill(worker, boss);
    const { seq } = await hub().list();
    const refused = await told(hub().send({ from_claude: boss, to_claude: worker }));
    expect(refused?.toWire()).toEqual({
      code: "recipient_full",
      message: `3 messages wait for ${worker}, which is the most: send more once it has taken some, or delete some`,
      details: { to_claude: worker, waiting: 3, limit: 3 },
    });
    expect((await hub().list()).seq).toBe(seq);
    await hub().claimNext(run(worker, "r1"));
    await hub().send({ from_claude: boss, to_claude: worker });
    expect((await told(hub().send({ from_claude: boss, to_claude: worker })))?.code).toBe("recipient_full");
  });

  test("a sender that has too much waiting sends nothing more to anybody; others do", async () => {
    const [worker, boss] = names();
    const [other, third] = [hub().newName("worker"), hub().newName("worker")];
    await fill(worker, boss);
    const waiting = await hub().send({ from_claude: boss, to_claude: other });
    await hub().send({ from_claude: boss, to_claude: other });
    const refused = await told(hub().send({ from_claude: boss, to_claude: third }));
    expect(refused).toMatchObject({ code: "sender_full", details: { from_claude: boss, waiting: 5, limit: 5 } });
    await hub().send({ from_claude: hub().newName("boss"), to_claude: third });
    await hub().delete(waiting);
    await hub().send({ from_claude: boss, to_claude: third });
  });

  test("a chat that its recipient has, and one to everyone that all have, is not in the way", async () => {
    const [worker, boss] = names();
    await arrive(hub(), worker, boss);
    for (let i = 0; i < 2 * MOST_FOR; i++) {
      const [chat, toAll] = await Promise.all([chatTo(worker, boss), chatTo("*", boss)]);
      await hub().commit({ op: "delivered", reader: worker, ids: [chat.id] });
      await reachAll(toAll);
    }
    await fill(worker, boss);
    expect((await told(hub().send({ from_claude: boss, to_claude: worker })))?.code).toBe("recipient_full");
    await chatTo("*", boss);
  });

  test("chats to everyone that somebody has not got count for their sender", async () => {
    const [worker, boss] = names();
    const late = hub().newName("late");
    await arrive(hub(), worker, boss);
    const chats: Message[] = [];
    for (let i = 0; i < MOST_OF; i++) chats.push(await chatTo("*", boss));
    const refused = { code: "sender_full", details: { waiting: MOST_OF } };
    for (const to of ["*", worker]) expect(await told(chatTo(to, boss))).toMatchObject(refused);
    for (const reader of [boss, late]) await hub().commit({ op: "delivered", reader, ids: chats.map(({ id }) => id) });
    expect(await told(chatTo("*", boss))).toMatchObject(refused);
    for (const chat of chats.slice(0, 2)) await reachAll(chat);
    await hub().commit({ op: "delivered", reader: hub().newName("later"), ids: chats.map(({ id }) => id) });
    await hub().delete(chats[2] as Message);
    for (let i = 0; i < 3; i++) await chatTo("*", boss);
    expect(await told(chatTo("*", boss))).toMatchObject(refused);
  });

  test("a repeat gets the first answer all the same; a key that was refused stands for nothing", async () => {
    const [worker, boss] = names();
    const first = await hub().send({ from_claude: boss, to_claude: worker }, "k1");
    await hub().send({ from_claude: boss, to_claude: worker });
    await hub().send({ from_claude: boss, to_claude: worker });
    const sending = (task: string) => hub().send({ from_claude: boss, to_claude: worker, task }, "k2");
    expect((await told(sending("refused")))?.code).toBe("recipient_full");
    expect((await hub().send({ from_claude: boss, to_claude: worker }, "k1")).id).toBe(first.id);
    await hub().claimNext(run(worker, "r1"));
    expect(await sending("another")).toMatchObject({ task: "another" });
  });

  test("what comes back to wait counts, and is never refused", async () => {
    const [worker, boss] = names();
    const task = await hub().send({ from_claude: boss, to_claude: worker });
    const held = await hub().claim(task, run(worker, "r1"));
    await fill(worker, boss);
    expect(await hub().release(held, run(worker, "r1"))).toMatchObject({ status: "pending" });
    const refused = await told(hub().send({ from_claude: boss, to_claude: worker }));
    expect(refused).toMatchObject({ details: { waiting: MOST_FOR + 1 } });
  });

  test("through everything that can happen, a send is refused exactly when too much waits", async () => {
    const random = seededRandom();
    const [workers, bosses] = [names(), names()];
    const mine = async () => (await hub().all()).filter(({ from_claude }) => bosses.includes(from_claude));
    const about = async () => random.pick(await mine());
    const chat = { type: "chat", expires_at: hub().now + 90 * SECOND } as const;
    const send = async (more: object) => {
      const [from_claude, someone] = [random.pick(bosses), random.pick(workers)];
      const to_claude = "type" in more && random.next() < 0.3 ? "*" : someone;
      const expected = await verdict(hub(), from_claude, to_claude);
      const refused = await told(hub().send({ from_claude, to_claude, ...more }));
      expect(refused?.toWire()).toEqual(expected && expect.objectContaining(withWords(expected)));
    };
    const steps: (() => Promise<unknown>)[] = [
      ...Array.from({ length: 5 }, () => () => send(random.pick([{}, { backoff_ms: 1_000 }, chat]))),
      () => hub().claimNext(run(random.pick(workers), "r1")),
      async () => hub().claim(await about(), name(random.pick(workers))),
      async () => hub().complete(await about(), run(random.pick(workers), "r1")),
      async () => hub().failRetryable(await about(), run(random.pick(workers), "r1")),
      async () => hub().release(await about(), run(random.pick(workers), "r1")),
      async () => hub().delete(await about()),
      async () => hub().commit({ op: "delivered", reader: random.pick(workers), ids: [(await about()).id] }),
      async () => {
        hub().clock.advance(SECOND);
        await hub().wake();
      },
    ];
    await arrive(hub(), ...workers);
    await send({});
    for (let i = 0; i < 200; i++) {
      if ((await mine()).length === 0) await send({});
      await told(random.pick(steps)());
    }
  });
};

const withWords = ({ code, details }: { code: string; details: object }) => ({
  code,
  message: expect.stringContaining("wait"),
  details: expect.objectContaining(details),
});
