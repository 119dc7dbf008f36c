/** What a batch sends is written when it ends: nothing of what the batch does may tell. */
import { expect, test } from "vitest";
import type { StoreCommand } from "../../../../../server/store/storeCommands.ts";
import { ManualClock } from "../../../../support/clock.ts";
import { type Random, seededRandom } from "../../../../support/random.ts";
import { complete, failRetryable, lostRun, NOW, name, release, run, SECOND } from "../../../core/support.ts";
import { type StoreDriver, sending } from "../../driver.ts";
import { inside, look, newFile, openStore } from "../files.ts";

const WORKERS = ["a", "b"] as const;
const PRIORITIES = ["low", "normal", "high", "urgent"] as const;

/** Two hubs: one that is given whole batches, and one that is given their commands one by one. */
async function twins() {
  const clock = new ManualClock(NOW);
  const file = newFile();
  const [whole, single] = [await openStore(file, clock), await openStore(newFile(), clock)];
  return { clock, file, whole, single };
}

/** A command about what the hub already has under these ids, in the order of its list. */
type Making = (ids: readonly string[]) => StoreCommand;

/** Most of them about what the batch itself has sent; what is named by its id is older, as nobody knows an id before. */
function command(random: Random): Making {
  const to_claude = random.pick(WORKERS);
  const caller = random.pick([run(to_claude, "r1"), lostRun(to_claude, "r2"), name(to_claude)]);
  const key = random.pick([undefined, "k1", "k2"]);
  const place = random.next();
  const one = (ids: readonly string[]) => ids[Math.floor(place * ids.length)] ?? "none";
  const said = { to_claude, priority: random.pick(PRIORITIES), backoff_ms: 0, max_attempts: 2 };
  const task = sending({ ...said, ...random.pick([{}, { expires_at: NOW + 60 * SECOND }]) }, key);
  const next = { op: "claim_next", caller, claim_key: key } as const;
  const about = random.pick([complete(1), failRetryable(1), release(1)]);
  return random.pick<Making>([
    ...Array<Making>(5).fill(() => task),
    ...Array<Making>(4).fill(() => ({ ...next, queues: [to_claude] })),
    () => ({ ...next, queues: WORKERS }),
    () => sending({ to_claude, type: "chat" }),
    () => ({ op: "lapse", forMs: SECOND }),
    () => ({ op: "keep", holder: { claude_id: to_claude, run: "r2" } }),
    () => ({ op: "lengthen", claude_id: to_claude, forMs: 90 * SECOND }),
    () => ({ op: "wake" }),
    (ids) => ({ op: "change", id: one(ids), caller, command: about }),
    (ids) => ({ op: "delete", id: one(ids), caller }),
    (ids) => ({ op: "lift", chain_id: one(ids), hops: 1 + Math.floor(place * 3) }),
    (ids) => sending({ ...said, reply_to: one(ids) }),
  ]);
}

/** Texts with ids, also those of traces, replaced by numbers, in the order in which they came. */
function renamer() {
  const numbers = new Map<string, number>();
  const numberOf = (id: string) => {
    if (!numbers.has(id)) numbers.set(id, numbers.size);
    return `#${numbers.get(id)}`;
  };
  return (value: unknown) => JSON.stringify(value).replace(/[0-9a-f]{32}|[0-9a-f]{16}/g, numberOf);
}

/** All that can be seen of a hub. */
async function seen(hub: StoreDriver) {
  const lists = [{}, { status: "pending" }, { status: "in_progress" }, { to_claude: "a" }, { ready: true }] as const;
  const listed = await Promise.all(lists.map((filter) => hub.all(filter)));
  return [listed, await hub.store.counts(), await hub.store.workload(WORKERS), await hub.events(null)];
}

/** When time alone changes something next. */
const dueIn = (file: string) =>
  look(file, (db) => db.prepare("SELECT min(wake_at) FROM coordination_messages").pluck().get()) as number | null;

test("a batch does what its commands do one by one", async () => {
  const random = seededRandom();
  const { clock, file, whole, single } = await twins();
  const [nameWhole, nameSingle] = [renamer(), renamer()];
  for (let batch = 0; batch < 60; batch++) {
    const commands = Array.from({ length: 1 + random.int(12) }, () => command(random));
    const idsOf = async (hub: StoreDriver) => (await hub.all()).map(({ id }) => id);
    const [wholeIds, singleIds] = [await idsOf(whole), await idsOf(single)];
    const { outcomes } = await whole.commit(...commands.map((make) => make(wholeIds)));
    for (const [i, make] of commands.entries()) {
      const alone = await single.commit(make(singleIds));
      expect(nameWhole(outcomes[i])).toBe(nameSingle(alone.outcomes[0]));
    }
    expect(JSON.parse(nameWhole(await seen(whole)))).toEqual(JSON.parse(nameSingle(await seen(single))));
    expect(whole.wakeAt ?? Number.POSITIVE_INFINITY).toBeLessThanOrEqual(dueIn(file) ?? Number.POSITIVE_INFINITY);
    clock.advance(random.pick([0, SECOND, 20 * SECOND]));
  }
});

test("a message larger than what is kept in memory is found by the batch that sends it", async () => {
  const { whole } = await twins();
  const { outcomes } = await whole.commit(
    sending({ to_claude: "a", context: "x".repeat(100_000) }),
    { op: "claim_next", caller: run("a", "r1"), queues: ["a"], claim_key: "k" },
    { op: "claim_next", caller: run("a", "r1"), queues: ["a"], claim_key: "k" },
    { op: "claim_next", caller: run("a", "r1"), queues: ["a"], claim_key: "another" },
  );
  const [, first, again, other] = outcomes.map((outcome) => outcome.ok && outcome.json);
  expect(first).toContain('"status":"in_progress"');
  expect(again).toBe(first);
  expect(other).toBeNull();
});

test("what a batch sends and hands out is written once", async () => {
  const file = newFile();
  const hub = await openStore(file);
  const never = "BEFORE UPDATE ON coordination_messages BEGIN SELECT RAISE(ABORT, 'written twice'); END";
  inside(file, (db) => db.exec(`CREATE TRIGGER twice ${never}`));
  const { outcomes } = await hub.commit(sending({ to_claude: "a" }), {
    op: "claim_next",
    caller: run("a", "r1"),
    queues: ["a"],
  });
  const written = look(file, (db) =>
    db.prepare("SELECT status, claim_rank, claimed_run FROM coordination_messages").get(),
  );
  expect(outcomes.map(({ ok }) => ok)).toEqual([true, true]);
  expect(written).toEqual({ status: "in_progress", claim_rank: null, claimed_run: "r1" });
});

test("a deadline that a hub's first batch began is waited for, and moved when the clock is set", async () => {
  const { clock, whole } = await twins();
  const worker = lostRun("a", "r1");
  await whole.commit(sending({ to_claude: "a" }), { op: "claim_next", caller: worker, queues: ["a"] });
  expect(whole.wakeAt).not.toBeNull();
  clock.step(60 * 60 * SECOND);
  const { entries } = await whole.wake();
  expect(entries).toEqual([]);
});

test("what was sent by a batch that is undone is not written by the next", async () => {
  const { whole } = await twins();
  const broken = { op: "none of ours" } as unknown as StoreCommand;
  await expect(whole.commit(sending({ to_claude: "a" }), broken)).rejects.toThrow();
  const kept = await whole.send({ to_claude: "b" });
  expect(await whole.all()).toEqual([kept]);
});

test("another run of the same name is not given what the first has claimed with the same key", async () => {
  const { whole } = await twins();
  const next = (id: string) => ({ op: "claim_next", caller: run("a", id), queues: ["a"], claim_key: "k" }) as const;
  const { outcomes } = await whole.commit(sending({ to_claude: "a" }), next("r1"), next("r2"));
  expect(outcomes.map((outcome) => outcome.ok && outcome.json !== null)).toEqual([true, true, false]);
});

test("a batch hands out in claim order what was there and what it sends", async () => {
  const { whole } = await twins();
  const said = (task: string, priority: (typeof PRIORITIES)[number]) => sending({ to_claude: "a", task, priority });
  await whole.commit(said("old", "normal"), said("old and low", "low"));
  const next = { op: "claim_next", caller: run("a", "r1"), queues: ["a"] } as const;
  const sent = [said("low", "low"), said("new", "normal"), said("newer", "normal"), said("urgent", "urgent")];
  const { outcomes } = await whole.commit(...sent, ...Array<StoreCommand>(6).fill(next));
  const tasks = outcomes.slice(sent.length).map((outcome) => outcome.ok && JSON.parse(outcome.json as string).task);
  expect(tasks).toEqual(["urgent", "old", "new", "newer", "old and low", "low"]);
});

test("the sender is told since when others wait, of which its own batch has sent and handed out some", async () => {
  const { whole } = await twins();
  const next = { op: "claim_next", caller: run("a", "r1"), queues: ["a"] } as const;
  const send = sending({ to_claude: "a" });
  const { outcomes } = await whole.commit(send, send, next, send);
  expect(outcomes.at(-1)).toMatchObject({ waiting: 2, oldest: new Date(NOW).toISOString() });
});

test("how far an exchange has come counts the reply that the batch itself has sent", async () => {
  const { whole } = await twins();
  const first = await whole.send({ to_claude: "a" });
  const lift = { op: "lift", chain_id: first.id } as const;
  const reply = sending({ from_claude: "a", to_claude: "boss", reply_to: first.id });
  const { outcomes } = await whole.commit(reply, lift);
  expect(outcomes[1]).toEqual((await whole.commit(lift)).outcomes[0]);
  expect(JSON.stringify(outcomes[1])).toContain('hops\\":1');
});
