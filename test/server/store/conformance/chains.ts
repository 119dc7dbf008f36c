/** An exchange is a chain of answers to answers; it ends at a bound, unless a person lets it go on. */
import { describe, expect, test } from "vitest";
import type { Message } from "../../../../shared/message.ts";
import type { Section } from "../driver.ts";
import { TIGHT } from "./tight.ts";

const MOST = TIGHT.chain_hops;

export const chains: Section = (hub) => {
  /** Whoever has nothing waiting yet. */
  const parties = () => ({ from_claude: hub().newName("agent"), to_claude: hub().newName("agent") });
  /** A chat that answers another. */
  const answer = (to: Pick<Message, "id">, key?: string) =>
    hub().send({ ...parties(), type: "chat", reply_to: to.id }, key);
  const begin = () => hub().send({ ...parties(), type: "chat" });
  const lift = (id: string, hops?: number) => hub().do({ op: "lift", chain_id: id, hops });
  /** An exchange that has come as far as it may: its first message and its last. */
  const stopped = async () => {
    const first = await begin();
    let last = first;
    for (let hop = 0; hop < MOST; hop++) last = await answer(last);
    return { first, last };
  };

  test("a message that goes on with nothing belongs to none", async () => {
    const first = await begin();
    expect(first).not.toHaveProperty("chain_id");
    expect(first).not.toHaveProperty("hops");
  });

  test("an answer and a sub-task carry the first message and how far they are, in every face", async () => {
    const first = await begin();
    const second = await answer(first);
    const third = await hub().send({ ...parties(), parent_id: second.id });
    expect([second.chain_id, second.hops, third.chain_id, third.hops]).toEqual([first.id, 1, first.id, 2]);
    expect(await hub().get(third)).toEqual(third);
    expect((await hub().eventsOf(third))[0]?.message).toMatchObject({ chain_id: first.id, hops: 2 });
    expect((await hub().list({ chain_id: first.id })).messages).toEqual([second, third]);
    expect((await hub().list({ chain_id: first.id, to_claude: third.to_claude })).messages).toEqual([third]);
  });

  test("of an answer and a part at once, the longer exchange counts", async () => {
    const [short, long] = [await begin(), await stopped()];
    const said = { ...parties(), reply_to: short.id, parent_id: long.first.id };
    expect(await hub().send(said)).toMatchObject({ hops: 1, chain_id: short.id });
    const refused = hub().send({ ...said, parent_id: long.last.id });
    await expect(refused).rejects.toMatchObject({ code: "loop_stopped", details: { chain_id: long.first.id } });
  });

  test("an answer to what is gone, or was never here, begins a chain of its own", async () => {
    const first = await begin();
    const second = await answer(first);
    await hub().delete(second);
    for (const id of [second.id, "0".repeat(32)]) {
      const fresh = await answer({ id });
      expect(fresh).not.toHaveProperty("chain_id");
      expect(await answer(fresh)).toMatchObject({ chain_id: fresh.id, hops: 1 });
    }
  });

  describe("an endless exchange", () => {
    test("is stopped at the bound: the refusal says what to do, and has changed nothing", async () => {
      const { first, last } = await stopped();
      const { seq } = await hub().list();
      await expect(answer(last, "k")).rejects.toMatchObject({
        code: "loop_stopped",
        message: expect.stringContaining(`coord lift ${first.id}`),
        details: { chain_id: first.id, hops: MOST + 1, limit: MOST },
      });
      expect((await hub().list()).seq).toBe(seq);
      expect(await answer(first)).toMatchObject({ hops: 1 }); // another branch of it is not that long
    });

    test("goes on for as many hops as a person allows, and no other does", async () => {
      const [{ first, last }, other] = [await stopped(), await stopped()];
      expect(await lift(first.id, 2)).toEqual({ chain_id: first.id, hops: MOST, limit: MOST + 2 });
      const further = await answer(await answer(last));
      const refused = { code: "loop_stopped", details: { limit: MOST + 2 } };
      await expect(answer(further)).rejects.toMatchObject(refused);
      await expect(answer(other.last)).rejects.toMatchObject({ details: { limit: MOST } });
    });

    test("is lifted once by the same lift twice, and never held shorter by one", async () => {
      const { first } = await stopped();
      const lifted = await lift(first.id, 5);
      expect(await lift(first.id, 5)).toEqual(lifted);
      expect(await lift(first.id, 1)).toEqual(lifted);
    });

    test("is lifted by any message in it, by as much as any chain has where nothing is said", async () => {
      const { first, last } = await stopped();
      expect(await lift(last.id)).toEqual({ chain_id: first.id, hops: MOST, limit: 2 * MOST });
      expect(await answer(last)).toMatchObject({ hops: MOST + 1 });
    });
  });

  test("a chain that nobody began cannot be lifted; one without an answer can", async () => {
    await expect(lift("nothing")).rejects.toMatchObject({ code: "not_found", details: { chain_id: "nothing" } });
    const first = await begin();
    expect(await lift(first.id, 10)).toEqual({ chain_id: first.id, hops: 0, limit: 10 });
  });
};
