import { describe, expect, it } from "vitest";
import type { Message } from "../../../../client/sdk/index.ts";
import { LIMITS } from "../../../../shared/index.ts";
import { startHub } from "../../../support/hub.ts";
import { seededRandom } from "../../../support/random.ts";
import { RawSocket } from "../../../support/rawSocket.ts";
import { Heard, join, later, reaches, startProxied } from "../support.ts";

/** A promise that is kept by hand. */
function gate() {
  let open!: () => void;
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { open, opened };
}

describe.each(["websocket", "long_poll"] as const)("a worker over %s", (transport) => {
  it("does tasks, so many at a time, and completes them with what its handler returns", async () => {
    const { url } = await startHub();
    const [ada, bob] = [await join(url, { as: "ada" }), await join(url, { as: "bob", transport })];
    const tasks = await Promise.all(Array.from({ length: 20 }, (_, i) => ada.send({ to_claude: "bob", task: `${i}` })));
    let [running, most] = [0, 0];
    const together = gate();
    bob.work(
      async ({ task }, { attempt }) => {
        most = Math.max(most, ++running);
        if (running === 4) together.open();
        await together.opened;
        await bob.stats();
        running--;
        return `${task} in attempt ${attempt}`;
      },
      { concurrency: 4 },
    );
    const results = await Promise.all(tasks.map((task) => task.result()));
    expect(results.map(({ result }) => result)).toEqual(tasks.map((_, i) => `${i} in attempt 1`));
    expect(most).toBe(4);
  });

  it("fails a task whose handler throws, and has it tried again when the error says that this may help", async () => {
    const { url } = await startHub();
    const [ada, bob] = [await join(url, { as: "ada" }), await join(url, { as: "bob", transport })];
    const hopeless = await ada.send({ to_claude: "bob", task: "hopeless" });
    const flaky = await ada.send({ to_claude: "bob", task: "flaky", backoff_ms: 0 });
    const results = [later(hopeless.result()), flaky.result()];
    bob.work(({ task }, { attempt }) => {
      if (task === "hopeless") throw new Error("cannot be done");
      if (attempt === 1) throw Object.assign(new Error("try again"), { retryable: true });
      return `done in attempt ${attempt}`;
    });
    await expect(results[0]).rejects.toThrow("cannot be done");
    expect(await results[1]).toMatchObject({ result: "done in attempt 2", attempt: 2 });
  });

  it("tells its handler when the task is taken away, and says nothing more about it", async () => {
    const { url } = await startHub();
    const [ada, bob] = [await join(url, { as: "ada" }), await join(url, { as: "bob", transport })];
    const errors = new Heard(bob, "error");
    const { id } = await ada.send({ to_claude: "bob", task: "to be deleted" });
    const aborted = new Promise<unknown>((resolve) => {
      bob.work(async (_, { signal }) => {
        const told = new Promise((stop) => signal.addEventListener("abort", stop));
        await ada.delete({ id });
        await told;
        resolve(signal.reason);
        signal.throwIfAborted();
      });
    });
    expect(await aborted).toMatchObject({ name: "ClaimLost", code: "claim_lost" });
    await bob.close();
    expect(errors.all).toEqual([]);
  });

  it("finishes what it has begun when it is closed, and takes nothing more", async () => {
    const { url } = await startHub();
    const [ada, bob] = [await join(url, { as: "ada" }), await join(url, { as: "bob", transport })];
    const [first, second] = [
      await ada.send({ to_claude: "bob", task: "first" }),
      await ada.send({ to_claude: "bob", task: "second" }),
    ];
    const [begun, finish] = [gate(), gate()];
    const worker = bob.work(async () => {
      begun.open();
      await finish.opened;
      return "finished";
    });
    await begun.opened;
    const closed = worker.close();
    finish.open();
    await closed;
    expect(await first.result()).toMatchObject({ result: "finished" });
    expect(await ada.get({ id: second.id })).toMatchObject({ status: "pending", attempt: 0 });
  });

  it("leaves no question behind at the hub when it is closed", async () => {
    const { url } = await startHub();
    const [ada, bob] = [await join(url, { as: "ada" }), await join(url, { as: "bob", transport })];
    const done: Message[] = [];
    const worker = bob.work((task) => void done.push(task), { concurrency: 3 });
    const task = await ada.send({ to_claude: "bob", task: "before" });
    await task.result();
    await worker.close();
    const after = await ada.send({ to_claude: "bob", task: "after" });
    await bob.stats();
    expect(await ada.get({ id: after.id })).toMatchObject({ status: "pending", attempt: 0 });
    expect(done).toHaveLength(1);
  });

  it("fails a task whose handler gives or throws what is no text, and goes on", async () => {
    const { url } = await startHub();
    const [ada, bob] = [await join(url, { as: "ada" }), await join(url, { as: "bob", transport })];
    const circle: object[] = [];
    circle.push(circle);
    const thrown: Record<string, unknown> = {
      "[object Object]": Object.assign(new Error(), { message: { code: 7 } }),
      "it has no text": Object.create(null),
      "it asks": Object.defineProperty(new Error("it asks"), "retryable", { get: () => expect.fail() }),
    };
    const given: Record<string, unknown> = { circle, big: 1n, nothing: () => {} };
    bob.work(({ task }) => {
      if (task in thrown) throw thrown[task];
      return given[task] as never;
    });
    const outcomeOf = async (task: string) => (await ada.send({ to_claude: "bob", task })).result();
    for (const task of Object.keys(thrown)) await expect(outcomeOf(task)).rejects.toThrow(task);
    for (const task of Object.keys(given)) await expect(outcomeOf(task)).rejects.toThrow("result must be a string");
    expect(await outcomeOf("anything else")).toMatchObject({ status: "complete" });
  });

  it("fails a task whose result the hub does not take", async () => {
    const { url } = await startHub();
    const [ada, bob] = [await join(url, { as: "ada" }), await join(url, { as: "bob", transport })];
    const tasks = [
      await ada.send({ to_claude: "bob", task: "long" }),
      await ada.send({ to_claude: "bob", task: "odd" }),
    ];
    const results = tasks.map((task) => later(task.result()));
    bob.work(({ task }) => (task === "long" ? "x".repeat(LIMITS.result_bytes + 1) : ({ not: "text" } as never)));
    await expect(results[0]).rejects.toThrow(/result is longer than/);
    await expect(results[1]).rejects.toThrow(/result must be a string/);
  });
});

it("tells the end of a task and asks for the next at once, so that one commit does both", async () => {
  const { url, wsUrl } = await startHub();
  const [ada, bob] = [await join(url, { as: "ada" }), await join(url, { as: "bob", transport: "websocket" })];
  const watcher = await RawSocket.greet(wsUrl, { claude_id: "ada" });
  const tasks = [
    await ada.send({ to_claude: "bob", task: "first" }),
    await ada.send({ to_claude: "bob", task: "second" }),
  ];
  bob.work(({ task }) => task);
  await Promise.all(tasks.map((task) => task.result()));
  await watcher.event("completed", tasks[1]?.id);
  const page = watcher.pages.find(({ events }) => events.some(({ kind }) => kind === "completed"));
  expect(page?.events.map(({ kind, message: { id } }) => ({ kind, id }))).toEqual([
    { kind: "completed", id: tasks[0]?.id },
    { kind: "claimed", id: tasks[1]?.id },
  ]);
});

it("begins no task before the hub has taken the end of the last", async () => {
  const { url } = await startHub();
  const [ada, bob] = [await join(url, { as: "ada" }), await join(url, { as: "bob", transport: "websocket" })];
  const first = await ada.send({ to_claude: "bob", task: "its result is too long, which is its failure" });
  const second = await ada.send({ to_claude: "bob", task: "second" });
  const failed = later(first.result());
  let isTold = false;
  bob.work(({ id }, { told }) => {
    if (id === second.id) return `${isTold}`;
    void told.then(() => (isTold = true));
    return "x".repeat(LIMITS.result_bytes + 1);
  });
  expect(await second.result()).toMatchObject({ result: "true" });
  await expect(failed).rejects.toThrow(/result is longer than/);
});

it("does each task once while its line breaks at random", async () => {
  const random = seededRandom();
  const { server, proxy, url } = await startProxied(random);
  const ada = await join(server.url, { as: "ada" });
  const tasks = await Promise.all(Array.from({ length: 150 }, (_, i) => ada.send({ to_claude: "bob", task: `${i}` })));
  const bob = await join(url, { as: "bob", transport: "websocket" });
  const errors = new Heard(bob, "error");
  proxy.faults.cutWithinBytes = 60_000;
  const done = new Map<string, number>();
  bob.work(
    ({ id, task }) => {
      done.set(id, (done.get(id) ?? 0) + 1);
      return task.repeat(100);
    },
    { concurrency: 5 },
  );
  const results = await Promise.all(tasks.map((task) => task.result()));
  expect(results.every(({ attempt }) => attempt === 1)).toBe(true);
  expect([...done.values()]).toEqual(tasks.map(() => 1));
  expect(proxy.accepted).toBeGreaterThan(3);
  expect(errors.all).toEqual([]);
});

it("gives back a task whose claim is answered after it was closed", async () => {
  const { server, proxy, url } = await startProxied();
  const [ada, bob] = [await join(server.url, { as: "ada" }), await join(url, { as: "bob", transport: "websocket" })];
  const [claims, releases] = [new Heard(ada, "claimed"), new Heard(ada, "released")];
  await reaches(ada, "online");
  const done: Message[] = [];
  const worker = bob.work((task) => void done.push(task));
  const first = await ada.send({ to_claude: "bob", task: "first" });
  await first.result();
  proxy.faults.delayMs = 30; // the answer is still under way when the worker is closed
  const { id } = await ada.send({ to_claude: "bob", task: "second" });
  await claims.find(({ message }) => message.id === id);
  await worker.close();
  await releases.find(({ message }) => message.id === id);
  expect(await ada.get({ id })).toMatchObject({ status: "pending", attempt: 1 });
  expect(done).toHaveLength(1);
});

it("may work for another instance", async () => {
  const { url } = await startHub();
  const [ada, bob] = [await join(url, { as: "ada" }), await join(url, { as: "bob" })];
  const task = await ada.send({ to_claude: "carl", task: "for carl" });
  bob.work(() => "by bob", { for: "carl" });
  expect(await task.result()).toMatchObject({ result: "by bob", claimed_by: "bob" });
});

it("is closed with its hub, which finishes what is under way", async () => {
  const { url } = await startHub();
  const [ada, bob] = [await join(url, { as: "ada" }), await join(url, { as: "bob" })];
  const task = await ada.send({ to_claude: "bob", task: "x" });
  const result = task.result();
  const begun = gate();
  const worker = bob.work(async (_, { hub }) => {
    begun.open();
    await hub.stats();
    return "finished";
  });
  await begun.opened;
  await bob.close();
  await worker.done;
  expect(await result).toMatchObject({ result: "finished" });
  expect(bob.state).toBe("closed");
});

it("tells what the hub refuses to whoever waits for its end, or listens to errors, and to nobody else", async () => {
  const { url } = await startHub();
  const bob = await join(url, { as: "bob" });
  const refused = { code: "invalid_params", details: { field: "for_claude" } };
  await expect(bob.work(() => "x", { for: "bad name" }).done).rejects.toMatchObject(refused);
  const errors = new Heard(bob, "error");
  bob.work(() => "x", { for: "bad name" });
  expect(await errors.count(1)).toMatchObject([refused]);
});

it("needs a name", async () => {
  const { url } = await startHub();
  const observer = await join(url);
  expect(() => observer.work(() => "x")).toThrow(/work\(\) needs a name/);
  expect(() => observer.work(() => "x", { for: "bob" })).toThrow(/work\(\) needs a name/);
  const bob = await join(url, { as: "bob" });
  expect(() => bob.work(() => "x", { concurrency: 0 })).toThrow(/a whole number from 1: 0/);
});

it("goes on over a hub that is away for a while", async () => {
  const { server, proxy, url } = await startProxied();
  const [ada, bob] = [await join(server.url, { as: "ada" }), await join(url, { as: "bob", transport: "websocket" })];
  bob.work(({ task }) => task);
  const first = await ada.send({ to_claude: "bob", task: "one" });
  await first.result();
  proxy.faults.refuse = "connections";
  proxy.cut();
  await reaches(bob, "waiting", "connecting");
  const second = await ada.send({ to_claude: "bob", task: "two" });
  proxy.faults.refuse = undefined;
  expect(await second.result()).toMatchObject({ result: "two", attempt: 1 });
});
