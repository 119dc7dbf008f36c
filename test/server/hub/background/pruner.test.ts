/** When pruning happens: in rounds, one portion after the other with a pause, never two at once. */
import { describe, expect, test } from "vitest";
import { Pruner, type RetentionPolicy } from "../../../../server/hub/background/pruner.ts";
import type { PruneReport, Shown } from "../../../../server/store/outcomes.ts";
import type { PruneCommand } from "../../../../server/store/storeCommands.ts";
import { ManualClock } from "../../../support/clock.ts";
import { http } from "../../../support/http.ts";
import { startHub } from "../../../support/hub.ts";
import { pass } from "../../transport/pass.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const NOTHING: PruneReport = {
  messages: 0,
  entries: 0,
  keys: 0,
  instances: [],
  history: 0,
  pages: 0,
  floor: 0,
  keys_next: null,
  more: false,
  size: "within",
};

/** Lets everything that follows from what has happened happen. */
const settled = () => new Promise<void>((resolve) => setImmediate(resolve));

/** A pruner whose portions are answered when the test says so. `awayMs`: since the hub before. */
function start(policy: RetentionPolicy, forgets = (_seenBefore: number | null) => false, awayMs = 0) {
  const clock = new ManualClock();
  const asked: { command: PruneCommand; resolve: (done: Shown) => void; reject: (e: Error) => void }[] = [];
  const floors: number[] = [];
  const failures: string[] = [];
  const warnings: string[] = [];
  const pruner = new Pruner({
    clock,
    policy,
    thereUntil: clock.now() - awayMs,
    submit: (command) => new Promise((resolve, reject) => asked.push({ command, resolve, reject })),
    pruned: ({ floor }) => floors.push(floor),
    forgets,
    report: {
      failed: (what, error) => failures.push(`${what}: ${(error as Error).message}`),
      warn: (note) => warnings.push(note),
    },
  });
  pruner.start();
  const answer = async (report: Partial<PruneReport>) => {
    asked.at(-1)?.resolve({ ok: true, json: JSON.stringify({ ...NOTHING, ...report }) });
    await settled();
  };
  return { clock, asked, floors, failures, warnings, pruner, answer };
}

test("where everything is kept, the store is asked once a day for what happened to instances long ago, and for nothing else", async () => {
  const { clock, asked, answer } = start({ completeMs: undefined });
  const old = () => ({ history_before: clock.now() - 30 * DAY, complete_before: null, log_before: null });
  clock.advance(60_000);
  expect(asked[0]?.command).toMatchObject(old());
  await answer({ more: true, history: 500 });
  clock.advance(20);
  expect(asked[1]?.command).toMatchObject(old());
  await answer({});
  clock.advance(DAY - 60_000);
  expect(asked).toHaveLength(2);
  clock.advance(60_000);
  expect(asked[2]?.command).toMatchObject(old());
});

test("whatever is kept, instances are forgotten where there are any to forget, by a clock that is believed", async () => {
  const looks: (number | null)[] = [];
  const { clock, asked, answer } = start({}, (seenBefore) => looks.push(seenBefore) > 1);
  clock.advance(60_000);
  await answer({});
  clock.advance(60_000);
  expect([asked.length, looks]).toEqual([1, [clock.now() - 30 * DAY]]);
  clock.advance(60_000);
  expect(asked[1]?.command).toMatchObject({ seen_before: looks[1], max_instances: 10_000, complete_before: null });
  clock.step(DAY);
  await answer({});
  clock.advance(60_000);
  expect([asked.length, looks.at(-1)]).toEqual([3, null]);
});

test("a round that has begun is ended, whatever it leaves to be forgotten here", async () => {
  let forgets = true;
  const { clock, asked, answer } = start({}, () => forgets);
  clock.advance(60_000);
  await answer({});
  clock.advance(60_000);
  forgets = false;
  await answer({ more: true, instances: ["ada"] });
  clock.advance(20);
  expect(asked).toHaveLength(3);
  await answer({});
  clock.advance(60_000);
  expect(asked).toHaveLength(3);
});

test("cut-offs lie as far back as the policy says; what it does not name is kept", () => {
  const { clock, asked } = start({ completeMs: HOUR, maxBytes: 1_000 });
  clock.advance(60_000);
  expect(asked[0]?.command).toMatchObject({
    complete_before: clock.now() - HOUR,
    failed_before: null,
    log_before: null,
    max_bytes: 1_000,
  });
});

test("a clock that is put forward is not believed for an hour: nothing goes because of its age", async () => {
  const { clock, asked, answer } = start({ completeMs: HOUR, failedMs: HOUR, logMs: HOUR, maxBytes: 1_000 });
  const nextRound = async (ms = 60_000) => {
    await answer({ keys_next: ["a", "k"] });
    clock.advance(ms);
    return asked.at(-1)?.command;
  };
  clock.advance(60_000);
  clock.step(24 * HOUR);
  const byAge = {
    complete_before: null,
    failed_before: null,
    log_before: null,
    history_before: null,
    keys_after: null,
  };
  expect(await nextRound()).toMatchObject({ ...byAge, max_bytes: 1_000 });
  for (let i = 0; i < 59; i++) expect(await nextRound()).toMatchObject(byAge);
  expect(await nextRound()).toMatchObject({ complete_before: clock.now() - HOUR, keys_after: ["a", "k"] });
  clock.step(-24 * HOUR);
  expect(await nextRound()).toMatchObject({ complete_before: clock.now() - HOUR });
});

test("nor is one that lies more than a minute further than when a hub was there last", async () => {
  const { clock, asked, answer } = start({ completeMs: HOUR }, undefined, 60_001);
  for (let minute = 1; minute < 60; minute++) {
    clock.advance(60_000);
    expect(asked.at(-1)?.command).toMatchObject({ complete_before: null, keys_after: null });
    await answer({});
  }
  clock.advance(60_000);
  expect(asked.at(-1)?.command).toMatchObject({ complete_before: clock.now() - HOUR, keys_after: ["", ""] });
  const believed = start({ completeMs: HOUR }, undefined, 60_000);
  believed.clock.advance(60_000);
  expect(believed.asked[0]?.command).toMatchObject({ complete_before: believed.clock.now() - HOUR });
});

test("a hub that starts with its clock a year ahead, until that is put right, prunes nothing before its time", async () => {
  const clock = new ManualClock();
  const options = { clock, retention: { completeMs: 30 * DAY } };
  let hub = await startHub(options);
  const send = async () => {
    const body = { from_claude: "ada", to_claude: "bob", task: "t" };
    return (await http(`${hub.url}/message`, { method: "POST", headers: { "idempotency-key": "k" }, body })).body;
  };
  const { id } = (await send()).data;
  await http(`${hub.url}/message/${id}/complete`, { method: "POST", body: {} });
  await http(`${hub.url}/heartbeat`, { method: "POST", body: { claude_id: "bob" } });
  await hub.close();
  clock.step(365 * DAY);
  hub = await startHub({ ...options, db: hub.db });
  await pass(clock, 150_000);
  clock.step(-365 * DAY);
  await pass(clock, 60_000);
  expect(await send()).toMatchObject({ deduplicated: true, data: { id, status: "complete" } });
  expect((await http(`${hub.url}/presence/bob`)).status).toBe(200);
});

test("portions follow one another with a pause until nothing is left, and never before the last one has answered", async () => {
  const { clock, asked, floors, answer } = start({ logMs: HOUR });
  clock.advance(60_000);
  clock.advance(10 * HOUR);
  expect(asked).toHaveLength(1);
  await answer({ more: true, floor: 500 });
  expect(asked).toHaveLength(1);
  clock.advance(20);
  expect(asked).toHaveLength(2);
  await answer({ floor: 700 });
  clock.advance(59_999);
  expect(asked).toHaveLength(2);
  clock.advance(1);
  expect(asked).toHaveLength(3);
  expect(floors).toEqual([500, 700]);
});

test("keys are looked at once a day, from where the last portion ended", async () => {
  const { clock, asked, answer } = start({ completeMs: HOUR });
  const after = () => asked.at(-1)?.command.keys_after;
  clock.advance(60_000);
  expect(after()).toEqual(["", ""]);
  await answer({ more: true, keys_next: ["ada", "k"] });
  clock.advance(20);
  expect(after()).toEqual(["ada", "k"]);
  await answer({});
  clock.advance(60_000);
  expect(after()).toBeNull();
  await answer({});
  clock.advance(24 * HOUR);
  await answer({});
  clock.advance(60_000);
  expect(after()).toEqual(["", ""]);
});

test("a failure is told, and tried again in the next round", async () => {
  const { clock, asked, failures } = start({ completeMs: HOUR });
  clock.advance(60_000);
  asked[0]?.reject(new Error("the disk is full"));
  await settled();
  expect(failures).toEqual(["pruning: the disk is full"]);
  clock.advance(60_000);
  expect(asked).toHaveLength(2);
});

test("once stopped, it asks for nothing more, whatever was under way", async () => {
  const { clock, asked, pruner, answer, failures } = start({ completeMs: HOUR });
  clock.advance(60_000);
  pruner.stop();
  await answer({ more: true });
  expect([clock.armed, asked.length, failures]).toEqual([0, 1, []]);
});

describe("a size that cannot be kept", () => {
  test.each(["over", "foreign"] as const)("because it is %s is told once", async (size) => {
    const { clock, warnings, answer } = start({ maxBytes: 1 });
    for (let round = 0; round < 3; round++) {
      clock.advance(60_000);
      await answer({ size });
    }
    expect(warnings).toHaveLength(1);
    clock.advance(60_000);
    await answer({});
    clock.advance(60_000);
    await answer({ size });
    expect(warnings).toHaveLength(2);
  });

  test("is not told while there is more to prune", async () => {
    const { clock, warnings, answer } = start({ maxBytes: 1 });
    clock.advance(60_000);
    await answer({ size: "over", more: true });
    expect(warnings).toEqual([]);
  });
});
