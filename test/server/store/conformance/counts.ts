/** Counts and workloads come from counters; they must be what counting would give. */
import { expect, test } from "vitest";
import { HubError } from "../../../../shared/errors.ts";
import { seededRandom } from "../../../support/random.ts";
import { name, run, SECOND } from "../../core/support.ts";
import type { Section, StoreDriver } from "../driver.ts";
import { countsOf, workloadOf } from "../fold.ts";

async function expectCountsOf(hub: StoreDriver, names: readonly string[]) {
  const messages = await hub.all();
  expect(await hub.store.counts()).toEqual(countsOf(messages));
  expect(await hub.store.workload(names)).toEqual(names.map((who) => workloadOf(messages, who)));
}

function ignoreRefusal(error: unknown): void {
  if (!(error instanceof HubError)) throw error;
}

export const counts: Section = (hub) => {
  test("of nothing: zeros", async () => {
    expect(await hub().store.counts()).toEqual({ pending: 0, in_progress: 0, complete: 0, failed: 0 });
    expect(await hub().store.workload(["nobody"])).toEqual([
      { claude_id: "nobody", in_progress: 0, waiting: 0, oldest: null },
    ]);
    expect(await hub().store.workload([])).toEqual([]);
  });

  test("through everything that can happen, refused or not", async () => {
    const random = seededRandom();
    const names = ["a", "b", "*"];
    const steps = [
      () => hub().send({ to_claude: random.pick(["a", "b"]), backoff_ms: random.pick([0, 1_000]), max_attempts: 2 }),
      () => hub().send({ to_claude: random.pick(names), type: "chat", expires_at: hub().now + SECOND }),
      () => hub().claimNext(run(random.pick(["a", "b"]), "r1")),
      async () => hub().claim(random.pick(await hub().all()), name("a")),
      async () => hub().complete(random.pick(await hub().all()), run("a", "r1")),
      async () => hub().fail(random.pick(await hub().all()), run("b", "r1")),
      async () => hub().failRetryable(random.pick(await hub().all()), run("a", "r1")),
      async () => hub().release(random.pick(await hub().all()), run("b", "r1")),
      async () => hub().delete(random.pick(await hub().all())),
      () => hub().commit({ op: "lapse", forMs: SECOND }),
      async () => {
        hub().clock.advance(SECOND);
        await hub().wake();
      },
    ];
    for (let i = 0; i < 150; i++) {
      if ((await hub().list({ limit: 1 })).messages.length === 0) await hub().send({ to_claude: "a" });
      const step: () => Promise<unknown> = random.pick(steps);
      await step().catch(ignoreRefusal); // what is refused must not count either
      if (i % 10 === 9) await expectCountsOf(hub(), names);
    }
    await expectCountsOf(hub(), names);
  });

  test("chats that wait count like tasks; one that is read is no work that somebody holds", async () => {
    const reader = hub().newName("reader");
    const chat = await hub().send({ to_claude: reader, type: "chat" });
    expect(await hub().store.workload([reader])).toMatchObject([{ waiting: 1, oldest: chat.created_at }]);
    await hub().claim(chat, name(reader));
    expect(await hub().store.workload([reader])).toMatchObject([{ waiting: 0, in_progress: 0, oldest: null }]);
  });
};
