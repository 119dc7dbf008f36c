/**
 * The seam between catching up and live, where such systems lose events: commits land before, in and after the very
 * read that reaches the head, in every order that there is.
 */
import { describe, expect, test } from "vitest";
import type { Reader } from "../../../server/core/view.ts";
import type { StoreCommand } from "../../../server/store/storeCommands.ts";
import type { EventKind } from "../../../shared/event.ts";
import { seededRandom } from "../../support/random.ts";
import { chat, complete, expected, Follower, HeldLog, settled } from "./heldLog.ts";

const OLD = [chat("ada", "bob", "old 1"), chat("cyd", "cyd", "hidden"), chat("bob", "ada", "old 2")];

/** Checks that a follower has been sent exactly what it may see. */
async function expectExact(log: HeldLog, follower: Follower): Promise<void> {
  expect(follower.problems).toEqual([]);
  const { state, cursor } = follower.session;
  expect(follower.entries.map(({ json }) => json)).toEqual(await expected(log, follower));
  expect(state).toBe("live");
  expect(cursor).toBe(follower.cursor);
}

/** All ways to shuffle sequences into one, keeping the order within each. */
function interleavings<T>(...sequences: T[][]): T[][] {
  const started = sequences.filter((sequence) => sequence.length > 0);
  if (started.length === 0) return [[]];
  return started.flatMap((sequence) => {
    const [first, ...rest] = sequence as [T, ...T[]];
    const others = started.map((other) => (other === sequence ? rest : other));
    return interleavings(...others).map((order) => [first, ...order]);
  });
}

/** A batch becomes durable, then is announced; a read happens, then arrives. Two batches are told of in order. */
const ORDERS = interleavings(["commit 1", "commit 2"], ["announce 1", "announce 2"], ["read", "arrive"]).filter(
  (order) => [1, 2].every((i) => order.indexOf(`commit ${i}`) < order.indexOf(`announce ${i}`)),
);

const BATCHES: Record<string, [StoreCommand[], StoreCommand[]]> = {
  "visible commits": [[chat("ada", "bob", "new 1")], [chat("bob", "cyd", "new 2"), chat("cyd", "*", "new 3")]],
  "commits for others": [[chat("ada", "cyd")], [chat("cyd", "ada")]],
  "a visible commit, then one for others": [[chat("ada", "bob")], [chat("ada", "cyd")]],
  "a commit for others, then a visible one": [[chat("ada", "cyd")], [chat("ada", "bob"), chat("ada", "cyd")]],
};

describe.each(Object.entries(BATCHES))("%s around the last read", (_, [first, second]) => {
  const steps: Record<string, (log: HeldLog) => unknown> = {
    "commit 1": (log) => log.commit(...first),
    "commit 2": (log) => log.commit(...second),
    "announce 1": (log) => log.announce(),
    "announce 2": (log) => log.announce(),
    read: (log) => log.reads[0]?.happen(),
    arrive: (log) => log.reads.shift()?.arrive(),
  };

  async function play(order: string[], reader: Reader, pageEvents: number): Promise<void> {
    const log = await HeldLog.start(OLD);
    const follower = new Follower(log, { reader, cursor: 0, pageEvents });
    for (const step of order) {
      await steps[step]?.(log);
      await settled();
    }
    await log.drain();
    await expectExact(log, follower).catch((error) => expect.fail(`${order.join(", ")}: ${error.message}`));
    await log.commitAndAnnounce(chat("cyd", "*", "afterwards"));
    await expectExact(log, follower);
  }

  test.each(["bob", null])("is seen once by %s, whatever comes first", async (reader: Reader) => {
    expect(ORDERS).toHaveLength(30);
    for (const pageEvents of [1, 2, 500]) for (const order of ORDERS) await play(order, reader, pageEvents);
  });
});

describe("news of a commit that is lost", () => {
  test.each([
    ["the next one", chat("bob", "ada", "announced")],
    ["the next one, though that logs nothing", { op: "wake" }],
  ] as const)("is made up for by %s, for those who were live and those who were not", async (_, next) => {
    const log = await HeldLog.start(OLD);
    const followers = ["bob", null].flatMap((reader) =>
      [0, log.delivery.head].map((cursor) => new Follower(log, { reader, cursor })),
    );
    await log.commit(chat("ada", "bob", "unannounced"));
    log.lose();
    await log.commitAndAnnounce(next);
    await log.drain();
    for (const follower of followers) await expectExact(log, follower);
    await log.commitAndAnnounce(chat("bob", "ada", "afterwards"));
    await log.drain();
    for (const follower of followers) await expectExact(log, follower);
  });
});

describe("a read that fails", () => {
  test("is told, and made up for by the next commit for its reader", async () => {
    const log = await HeldLog.start(OLD);
    const follower = new Follower(log, { reader: "bob", cursor: 0 });
    await log.reads.shift()?.fail();
    expect(log.failures).toHaveLength(1);
    expect(follower.pages).toEqual([]);
    await log.commitAndAnnounce(chat("ada", "bob"));
    await log.drain();
    await expectExact(log, follower);
  });

  test("is made up for by the next look at where the session stands", async () => {
    const log = await HeldLog.start(OLD);
    const follower = new Follower(log, { reader: "bob", cursor: 0 });
    await log.reads.shift()?.fail();
    log.delivery.position(follower.session);
    await log.drain();
    await expectExact(log, follower);
  });

  test("is told to whoever asked to be told", async () => {
    const log = await HeldLog.start(OLD);
    const failures: unknown[] = [];
    new Follower(log, { reader: "bob", cursor: 0, failed: (error) => failures.push(error) });
    await log.reads.shift()?.fail();
    expect([failures.length, log.failures.length]).toEqual([1, 0]);
  });
});

test("a session that closes while a read is under way is sent nothing more", async () => {
  const log = await HeldLog.start(OLD);
  const follower = new Follower(log, { reader: "bob", cursor: 0 });
  follower.close();
  await log.commitAndAnnounce(chat("ada", "bob"));
  await log.drain();
  expect(follower.pages).toEqual([]);
  expect(log.delivery.sessions).toBe(0);
});

test("any history at all is seen by every reader, exactly", async () => {
  const random = seededRandom();
  for (let round = 0; round < 60; round++) {
    const log = await HeldLog.start(OLD);
    const followers: Follower[] = [];
    const name = () => random.pick(["ada", "bob", "cyd"]);
    const kinds = () => random.pick([undefined, ["new"], ["completed"], ["new", "failed"], []] as EventKind[][]);
    const any = () => complete(`${1 + random.int(40)}`);
    const written = () => random.pick([any(), chat(name(), random.pick([name(), "*"]))]);
    const steps: Record<string, () => unknown> = {
      commit: () => log.commit(...Array.from({ length: 1 + random.int(4) }, written)),
      announce: () => log.unannounced > 0 && log.announce(),
      lose: () => random.next() < 0.1 && log.lose(),
      read: () => random.pick(log.reads)?.happen(),
      arrive: () => log.reads.shift()?.arrive(),
      fail: () => random.next() < 0.1 && log.reads.shift()?.fail(),
      acknowledge: () => random.pick(followers)?.ack(),
      subscribe: () => random.pick(followers)?.subscribe(kinds()),
      open: () =>
        followers.push(
          new Follower(log, {
            reader: random.pick([name(), name(), null]),
            kinds: kinds(),
            cursor: random.int(log.delivery.head + 1),
            pageEvents: 1 + random.int(4),
            window: { events: 1 + random.int(6), bytes: 1_000_000 },
          }),
        ),
    };
    for (let i = 0; i < 80; i++) await steps[random.pick(Object.keys(steps))]?.();
    await log.commit(chat("ada", "*", "the end"));
    await log.drain();
    for (const follower of followers) await follower.catchUp(log);
    for (const follower of followers) await expectExact(log, follower);
  }
});
