/** Group commit: what shares a batch, in which order, and who hears of what. */
import { describe, expect, test } from "vitest";
import type { Moment } from "../../../server/clock.ts";
import { makeIds } from "../../../server/store/engine/ids.ts";
import { GroupCommit } from "../../../server/store/groupCommit.ts";
import type { CommitResult } from "../../../server/store/store.ts";
import type { StoreCommand } from "../../../server/store/storeCommands.ts";
import { ManualClock } from "../../support/clock.ts";
import { LEASE, name } from "../core/support.ts";
import { sending } from "./driver.ts";
import { MemoryStore } from "./memory/memoryStore.ts";

/** A store whose disk takes as long, or fails, as the test wants. */
class SlowStore extends MemoryStore {
  readonly batches: number[] = [];
  readonly #waiting: { go: () => void; fail: (error: Error) => void }[] = [];

  constructor() {
    super({ lease: LEASE, newId: makeIds(), random: Math.random });
  }

  override async commit(commands: readonly StoreCommand[], at: Moment): Promise<CommitResult> {
    this.batches.push(commands.length);
    await new Promise<void>((go, fail) => this.#waiting.push({ go, fail }));
    return super.commit(commands, at);
  }

  /** The oldest batch under way is on the disk. */
  sync = async () => {
    this.#waiting.shift()?.go();
    await turns();
  };

  failBatch = async (error: Error) => {
    this.#waiting.shift()?.fail(error);
    await turns();
  };
}

/** Lets everything happen that can happen by itself. */
async function turns() {
  for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve));
}

function setUp() {
  const [store, clock, told] = [new SlowStore(), new ManualClock(), [] as string[]];
  const commits = new GroupCommit({
    store,
    clock,
    committed: ({ entries }) => told.push(`told ${entries.length}`),
  });
  const submit = (task: string, to_claude = "worker", context = "") =>
    commits.submit(sending({ to_claude, task, context })).then(
      () => told.push(`${task} done`),
      (error) => told.push(`${task} ${error.code ?? error.message}`),
    );
  const tasks = async () =>
    (await store.list({ order: "asc", limit: 500, offset: 0 }, 0)).messages.map((json) => JSON.parse(json).task);
  return { store, clock, told, commits, submit, tasks };
}

const delivered = { op: "delivered", reader: "a", ids: [] } as const;

describe("batches", () => {
  test("what is submitted in one turn shares one; alone, a command has its own, at once", async () => {
    const { store, submit } = setUp();
    for (const task of ["a", "b", "c"]) void submit(task);
    await turns();
    expect(store.batches).toEqual([3]);
    void submit("d");
    await turns();
    expect(store.batches).toEqual([3, 1]);
  });

  test("two are under way at most; what comes meanwhile forms the next", async () => {
    const { store, submit } = setUp();
    for (const task of ["a", "b", "c", "d", "e"]) {
      void submit(task);
      await turns();
    }
    expect(store.batches).toEqual([1, 1]);
    await store.sync();
    expect(store.batches).toEqual([1, 1, 3]);
  });

  test("hold 256 commands at most", async () => {
    const { store, submit } = setUp();
    for (let i = 0; i < 600; i++) void submit(`t${i}`);
    await turns();
    expect(store.batches).toEqual([256, 256]);
    await store.sync();
    expect(store.batches).toEqual([256, 256, 88]);
  });

  test("hold 2 MiB of text at most, but always one command", async () => {
    const { store, submit } = setUp();
    for (const mebibytes of [1.5, 1.5, 0.2, 0.2, 3, 0]) void submit("t", "worker", "x".repeat(mebibytes * 2 ** 20));
    await turns();
    for (let i = 0; i < 4; i++) await store.sync();
    expect(store.batches).toEqual([1, 3, 1, 1]);
  });

  test("count every text of a change", async () => {
    const { store, commits } = setUp();
    const caller = name("a");
    const command = { op: "fail", result: "x".repeat(2 ** 20), error: "x".repeat(2 ** 20 + 1) } as const;
    for (const id of ["a", "b"]) commits.submit({ op: "change", id, caller, command }).catch(() => {});
    await turns();
    expect(store.batches).toEqual([1, 1]);
  });

  test("keep the order of submission", async () => {
    const { store, submit, tasks } = setUp();
    const order = Array.from({ length: 20 }, (_, i) => `t${i}`);
    for (const task of order) {
      void submit(task);
      if (task.endsWith("3")) await turns();
    }
    for (let i = 0; i < 5; i++) await store.sync();
    expect(await tasks()).toEqual(order);
  });
});

describe("answers", () => {
  test("come once the batch is durable, after its readers were told", async () => {
    const { store, told, submit } = setUp();
    void submit("a");
    void submit("b");
    await turns();
    expect(told).toEqual([]);
    await store.sync();
    expect(told).toEqual(["told 2", "a done", "b done"]);
  });

  test("a refused command is refused alone", async () => {
    const { store, told, submit } = setUp();
    void submit("a");
    void submit("b", "*");
    void submit("c");
    await turns();
    await store.sync();
    expect(told).toEqual(["told 2", "a done", "b not_a_task", "c done"]);
  });

  test("a batch that could not be committed fails as one, and the next goes on", async () => {
    const { store, told, submit, tasks } = setUp();
    void submit("a");
    void submit("b");
    await turns();
    void submit("c");
    await turns();
    await store.failBatch(new Error("disk"));
    await store.sync();
    expect(told).toEqual(["a disk", "b disk", "told 1", "c done"]);
    expect(await tasks()).toEqual(["c"]);
  });

  test("a flood is refused before it fills the memory, and what was taken is done", async () => {
    const { store, told, submit } = setUp();
    const most = 65_536;
    for (let i = 0; i < most + 3; i++) void submit(`t${i}`);
    await turns();
    expect(told).toEqual([most, most + 1, most + 2].map((i) => `t${i} too_many_requests`));
    expect(store.batches).toEqual([256, 256]);
  });
});

test("a flood of text is refused as well, and the next is taken once there is room", async () => {
  const { store, told, submit } = setUp();
  const text = "x".repeat(8 * 2 ** 20); // one string, however often it waits
  for (let i = 0; i < 40; i++) void submit(`t${i}`, "worker", text);
  await turns();
  expect(told).toEqual(Array.from({ length: 8 }, (_, i) => `t${32 + i} too_many_requests`));
  void submit("small");
  await turns();
  expect(told).not.toContain("small too_many_requests");
  expect(store.batches).toEqual([1, 1]);
});

describe("riders", () => {
  test("go with the next batch and are no reason for one", async () => {
    const { store, commits, submit } = setUp();
    void commits.ride(delivered);
    await turns();
    expect(store.batches).toEqual([]);
    void submit("a");
    await turns();
    expect(store.batches).toEqual([2]);
  });

  test("go alone after a while", async () => {
    const { store, clock, commits } = setUp();
    void commits.ride(delivered);
    void commits.ride(delivered);
    clock.advance(199);
    await turns();
    expect(store.batches).toEqual([]);
    clock.advance(1);
    await turns();
    expect(store.batches).toEqual([2]);
    expect(clock.armed).toBe(0);
  });

  test("that found a ride do not go again", async () => {
    const { store, clock, commits, submit } = setUp();
    void commits.ride(delivered);
    void submit("a");
    await turns();
    await store.sync();
    clock.advance(1_000);
    await turns();
    expect(store.batches).toEqual([2]);
  });
});

test("a rider hears what became of it", async () => {
  const { store, commits } = setUp();
  const lost = commits.ride(delivered);
  void commits.submit(sending({ to_claude: "worker", task: "a" })).catch(() => {});
  const failure = expect(lost).rejects.toThrow("disk");
  await turns();
  await store.failBatch(new Error("disk"));
  await failure;
  const again = commits.ride(delivered);
  void commits.submit(sending({ to_claude: "worker", task: "b" }));
  await turns();
  await store.sync();
  await expect(again).resolves.toMatchObject({ ok: true });
});

describe("draining", () => {
  test("waits for everything that was submitted, riders included, and leaves no timer", async () => {
    const { store, clock, told, commits, submit } = setUp();
    void submit("a");
    void commits.ride(delivered);
    const drained = commits.drain().then(() => told.push("drained"));
    await turns();
    expect(store.batches).toEqual([2]);
    expect(told).toEqual([]);
    await store.sync();
    await drained;
    expect(told).toEqual(["told 1", "a done", "drained"]);
    expect(clock.armed).toBe(0);
  });

  test("waits for what is submitted upon that, riders included", async () => {
    const { store, told, commits, submit } = setUp();
    void submit("a").then(() => {
      void submit("b");
      void commits.ride(delivered).then(() => told.push("rode"));
    });
    const drained = commits.drain().then(() => told.push("drained"));
    await turns();
    await store.sync();
    await turns();
    await store.sync();
    await drained;
    expect(told).toEqual(["told 1", "a done", "told 1", "b done", "rode", "drained"]);
  });

  test("refuses after a while what no batch has taken, and not what has happened", async () => {
    const { store, clock, told, commits, submit } = setUp();
    void submit("a");
    await turns();
    void submit("b");
    await turns();
    void submit("c");
    void commits.submit(delivered).then(() => told.push("delivered"));
    const drained = commits.drain().then(() => told.push("drained"));
    clock.advance(1_499);
    await turns();
    expect(told).toEqual([]);
    clock.advance(1);
    await turns();
    expect(told).toEqual(["c shutting_down"]);
    for (let batch = 0; batch < 3; batch++) await store.sync();
    await drained;
    expect(told).toEqual(["c shutting_down", "told 1", "a done", "told 1", "b done", "told 0", "delivered", "drained"]);
  });

  test("of nothing ends at once", async () => {
    await setUp().commits.drain();
  });
});
