/** Chats to everyone: a receipt for each whom they are for, which tells the sender only. */
import { beforeAll, expect, test } from "vitest";
import type { ListFilter } from "../../../../server/store/store.ts";
import type { PresenceTransition } from "../../../../server/store/storeCommands.ts";
import { LIVENESS } from "../../../../shared/defaults.ts";
import { LIMITS } from "../../../../shared/limits.ts";
import type { Message } from "../../../../shared/message.ts";
import { claim, NOBODY, name } from "../../core/support.ts";
import type { Section, StoreDriver } from "../driver.ts";

const BOSS = name("boss");
const [ADA, BOB] = [name("ada"), name("bob")];

const arrive = (hub: StoreDriver, ...names: string[]) => move(hub, "online", ...names);

function move(hub: StoreDriver, state: PresenceTransition["state"], ...names: string[]) {
  const transitions = names.map((claude_id) => ({ claude_id, state, at: hub.now }));
  return hub.commit({ op: "presence", transitions });
}

interface Receipt {
  readonly recipient: string;
}

const toAll = (hub: StoreDriver, said = {}) => hub.send({ to_claude: "*", type: "chat", ...said });

const receipts = async (hub: StoreDriver, { id }: Pick<Message, "id">) =>
  JSON.parse((await hub.store.receipts(id)) ?? "0");

const delivered = (hub: StoreDriver, chat: Message, claude_id: string) =>
  hub.commit({ op: "delivered", reader: claude_id, ids: [chat.id] });

const toldSince = async (hub: StoreDriver, head: number, reader: string | null) =>
  (await hub.events(reader, head)).map(({ kind, actor }) => `${kind} ${actor}`);

export const receiptsOfChats: Section = (hub) => {
  beforeAll(() => arrive(hub(), "boss", "ada", "bob"));

  test("each has its own, and only the sender hears of it; what one does leaves the chat to the others", async () => {
    const chat = await toAll(hub());
    const head = hub().head;
    await delivered(hub(), chat, "ada");
    hub().clock.advance(1);
    expect(await hub().change(chat, claim(), ADA)).toMatchObject({ status: "in_progress", claimed_by: "ada" });
    hub().clock.advance(1);
    const said = await hub().change(chat, { op: "complete", result: "fine" }, ADA);
    expect(said).toMatchObject({ status: "complete", result: "fine", seq: chat.seq });
    const [first, second, third] = [2, 1, 0].map((ago) => new Date(hub().now - ago).toISOString());
    expect(await receipts(hub(), chat)).toEqual([
      { recipient: "ada", delivered_at: first, seen_at: second, acknowledged_at: third },
      { recipient: "bob" },
    ]);
    expect(await hub().get(chat)).toEqual(chat);
    expect(await toldSince(hub(), head, "boss")).toEqual(["delivered ada", "seen ada", "acknowledged ada"]);
    expect(await toldSince(hub(), head, null)).toHaveLength(3);
    for (const other of ["ada", "bob", "eve"]) expect(await toldSince(hub(), head, other)).toEqual([]);
    expect((await hub().events("boss", head)).at(-1)?.message).toMatchObject({ status: "pending", result: "fine" });
  });

  test("once all have acknowledged it is complete, and that everyone hears", async () => {
    const chat = await toAll(hub());
    await hub().change(chat, { op: "fail", error: "no time" }, ADA);
    const head = hub().head;
    expect(await hub().change(chat, { op: "complete" }, BOB)).toMatchObject({ status: "complete" });
    expect(await toldSince(hub(), head, "boss")).toEqual(["acknowledged bob", "completed bob"]);
    expect(await toldSince(hub(), head, "ada")).toEqual(["completed bob"]);
    expect(await hub().get(chat)).toMatchObject({ status: "complete", completed_at: expect.any(String) });
    expect((await hub().get(chat))?.error).toBeUndefined();
  });

  test("repeats tell nothing, also when it is over", async () => {
    const chat = await toAll(hub());
    await hub().change(chat, { op: "complete" }, ADA);
    const head = hub().head;
    await delivered(hub(), chat, "ada");
    for (const op of ["claim", "seen", "complete"] as const) {
      expect(await hub().change(chat, { op }, ADA)).toMatchObject({ status: "complete" });
    }
    await hub().change(chat, { op: "complete" }, BOSS);
    expect(await hub().change(chat, { op: "complete" }, ADA)).toMatchObject({ status: "complete" });
    expect(await toldSince(hub(), head, "boss")).toEqual(["completed boss"]);
  });

  test("what is said otherwise a second time is refused", async () => {
    const chat = await toAll(hub());
    const said = await hub().change(chat, { op: "complete", result: "ok" }, ADA);
    expect(await hub().change(chat, { op: "complete", result: "ok" }, ADA)).toEqual(said);
    const head = hub().head;
    for (const other of [{ op: "complete", result: "no" }, { op: "complete" }, { op: "fail", error: "ok" }] as const) {
      await expect(hub().change(chat, other, ADA)).rejects.toMatchObject({ code: "wrong_status" });
    }
    expect(hub().head).toBe(head);
  });

  test("when its sender has ended it, receipts go on, and nobody begins to read it", async () => {
    const chat = await toAll(hub());
    await hub().change(chat, { op: "complete", result: "settled" }, BOSS);
    const head = hub().head;
    await expect(hub().change(chat, claim(), BOB)).rejects.toMatchObject({ code: "wrong_status" });
    for (const reader of ["bob", "zoe"]) await delivered(hub(), chat, reader);
    expect(await hub().change(chat, { op: "seen" }, BOB)).toMatchObject({ status: "complete", result: "settled" });
    const before = await hub().get(chat);
    expect(await hub().change(chat, { op: "complete", result: "late" }, BOB)).toMatchObject({ result: "late" });
    expect(await hub().get(chat)).toEqual(before);
    expect(await toldSince(hub(), head, "boss")).toEqual(["delivered bob", "seen bob", "acknowledged bob"]);
    expect((await receipts(hub(), chat)).map((one: Receipt) => one.recipient)).toEqual([...["ada", "bob"]]);
  });

  test("a recipient gives back nothing but its own", async () => {
    const chat = await toAll(hub());
    await hub().change(chat, claim(), BOSS);
    await hub().change(chat, claim(), ADA);
    const [before, head] = [await hub().get(chat), hub().head];
    expect(await hub().change(chat, { op: "release" }, ADA)).toMatchObject({
      status: "in_progress",
      claimed_by: "ada",
    });
    expect(await hub().get(chat)).toEqual(before);
    expect(hub().head).toBe(head);
    expect(await hub().change(chat, { op: "release" }, BOSS)).toMatchObject({ status: "pending" });
  });

  test("its sender, and nobody in particular, move it for all; neither has a receipt", async () => {
    const [first, second] = [await toAll(hub()), await toAll(hub())];
    await delivered(hub(), first, "boss");
    for (const caller of [BOSS, NOBODY]) {
      await expect(hub().change(first, { op: "seen" }, caller)).rejects.toMatchObject({ code: "not_recipient" });
    }
    await expect(hub().change(first, { op: "claim", tasksOnly: true }, ADA)).rejects.toMatchObject({
      code: "not_a_task",
    });
    await hub().change(first, { op: "complete" }, BOSS);
    await hub().change(second, claim(), NOBODY);
    expect(await hub().get(second)).toMatchObject({ status: "in_progress" });
    await hub().change(second, { op: "complete", result: "read" }, NOBODY);
    expect(await hub().get(first)).toMatchObject({ status: "complete" });
    expect(await hub().get(second)).toMatchObject({ status: "complete", result: "read" });
    expect(await receipts(hub(), first)).toEqual([{ recipient: "ada" }, { recipient: "bob" }]);
  });

  test("nobody waits for who came later, however far it says that it is", async () => {
    const chat = await toAll(hub());
    await delivered(hub(), chat, "zoe");
    await hub().change(chat, { op: "seen" }, name("stranger"));
    await hub().change(chat, { op: "complete" }, ADA);
    expect(await hub().get(chat)).toMatchObject({ status: "pending" });
    await hub().change(chat, { op: "complete" }, BOB);
    expect(await hub().get(chat)).toMatchObject({ status: "complete" });
  });

  test("who was last there more than a week ago has none", async () => {
    await move(hub(), "offline", "moved");
    await move(hub(), "stale", "quiet");
    hub().clock.advance(LIVENESS.lately_ms);
    const recipients = async () => (await receipts(hub(), await toAll(hub()))).map((one: Receipt) => one.recipient);
    expect(await recipients()).toEqual(["ada", "bob", "moved", "quiet"]);
    hub().clock.advance(1);
    expect(await recipients()).toEqual(["ada", "bob", "quiet"]);
    await move(hub(), "offline", "quiet");
    hub().clock.advance(LIVENESS.lately_ms + 1);
    await arrive(hub(), "ada", "bob");
  });

  test("who comes later has one from then on; with the message they go", async () => {
    const chat = await toAll(hub());
    const head = hub().head;
    await delivered(hub(), chat, "zoe");
    expect((await receipts(hub(), chat)).map((one: Receipt) => one.recipient)).toEqual([...["ada", "bob", "zoe"]]);
    await hub().change(chat, { op: "complete", result: "s3cr3t" }, name("zoe"));
    await hub().delete(chat);
    expect(await hub().store.receipts(chat.id)).toBeNull();
    const told = await hub().events("boss", head);
    expect(told.map(({ kind }) => kind)).toEqual(["delivered", "acknowledged", "deleted"]);
    expect(JSON.stringify(told)).not.toContain("s3cr3t");
  });

  test("what one has not acknowledged is listed as it is for it, page after page, either way", async () => {
    const [first, second, third] = [await toAll(hub()), await toAll(hub(), { thread_id: "t" }), await toAll(hub())];
    const open = (filter: Partial<ListFilter> = {}) => hub().all({ open_for: "ada", limit: 1, ...filter });
    const before = (await open()).length;
    const shown = await hub().change(second, claim(), ADA);
    await hub().change(third, claim(), NOBODY);
    await hub().change(first, { op: "complete" }, ADA);
    const [newest, older] = await open({ order: "desc" });
    expect([newest?.id, newest?.status, newest?.claimed_by]).toEqual([third.id, "pending", undefined]);
    expect(older).toEqual(shown);
    expect(await open()).toHaveLength(before - 1);
    expect((await open({ limit: 500 })).slice(-2).map(({ id }) => id)).toEqual([second.id, third.id]);
    expect((await open({ status: "in_progress" })).at(-1)).toEqual(shown);
    expect((await open({ status: "pending" })).at(-1)).toEqual(newest);
    expect(await open({ thread_id: "t", offset: 1 })).toEqual([]);
    expect(await hub().all({ open_for: "boss", from_claude: "boss" })).toEqual([]);
    await hub().change(second, { op: "complete" }, BOSS);
    expect((await open({ thread_id: "t" }))[0]).toMatchObject({ status: "complete", delivered_at: shown.delivered_at });
    await expect(hub().list({ open_for: "ada", next: "17" })).rejects.toMatchObject({ code: "invalid_params" });
  });

  test("what is for one has one receipt, which is its own", async () => {
    const chat = await hub().send({ to_claude: "ada", type: "chat" });
    await hub().change(chat, { op: "complete" }, ADA);
    const at = new Date(hub().now).toISOString();
    expect(await receipts(hub(), chat)).toEqual([{ recipient: "ada", delivered_at: at, acknowledged_at: at }]);
    const task = await hub().send({ to_claude: "@tester" });
    expect(await receipts(hub(), task)).toEqual([{ recipient: "@tester" }]);
    expect(await hub().store.receipts("nothing")).toBeNull();
  });

  test("there is a limit: who is there goes before who was seen last, and nobody comes in beyond it", async () => {
    const crowd = Array.from({ length: LIMITS.receipts - 1 }, (_, i) => `gone${1000 + i}`);
    await move(hub(), "offline", ...crowd);
    const chat = await toAll(hub());
    const names = (await receipts(hub(), chat)).map((one: Receipt) => one.recipient);
    expect(names).toHaveLength(LIMITS.receipts);
    expect([names[0], names[1], names.at(-1)]).toEqual(["ada", "bob", crowd.at(-2)]);
    const late = name(crowd.at(-1) as string);
    expect(await hub().change(chat, { op: "complete" }, late)).toEqual(chat);
    expect(await receipts(hub(), chat)).toHaveLength(LIMITS.receipts);
  });
};
