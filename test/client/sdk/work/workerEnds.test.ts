/** What takes a task away from its worker, how the handler learns of it, and how a worker ends. */
import { setImmediate as turn } from "node:timers/promises";
import { beforeAll, describe, expect, it } from "vitest";
import {
  ClaimLost,
  type Hub,
  type TaskContext,
  type TaskHandler,
  type WorkOptions,
} from "../../../../client/sdk/index.ts";
import { LIMITS } from "../../../../shared/index.ts";
import { ManualClock } from "../../../support/clock.ts";
import { startHub, type TestHub } from "../../../support/hub.ts";
import { FaultProxy } from "../../../support/proxy.ts";
import { Heard, join, later, reaches, through } from "../support.ts";

let server: TestHub;
let pairs = 0;
beforeAll(async () => {
  server = await startHub({ lease: { graceMs: 100 } });
});

/** Ada sends tasks to bob, whose line may break. */
async function pair(transport: "websocket" | "long_poll" = "websocket", clock?: ManualClock) {
  const name = `bob${++pairs}`;
  const proxy = await FaultProxy.start({ port: server.port });
  const ada = await join(server.url, { as: `ada${pairs}` });
  const bob = await join(through(proxy), { as: name, transport, ...(clock && { clock }) });
  return {
    ada,
    bob,
    proxy,
    send: (task: string, more = {}) => ada.send({ to_claude: name, task, backoff_ms: 0, ...more }),
  };
}

/** Resolves with the reason why a signal is aborted. */
const aborted = (signal: AbortSignal) =>
  new Promise<ClaimLost>((resolve) => {
    if (signal.aborted) resolve(signal.reason);
    signal.addEventListener("abort", () => resolve(signal.reason));
  });

/** A worker whose handler tells its context, and then does as it is told. */
function hire(hub: Hub, handler: TaskHandler<Hub>, options: WorkOptions = {}) {
  let tell!: (context: TaskContext<Hub>) => void;
  const begun = new Promise<TaskContext<Hub>>((resolve) => (tell = resolve));
  const worker = hub.work((task, context) => {
    tell(context);
    return handler(task, context);
  }, options);
  return { worker, begun };
}

/** Works until it is aborted, and gives up. */
const obedient: TaskHandler<Hub> = async (_, { signal }) => {
  throw await aborted(signal);
};
/** Hears nothing, and never ends. */
const deaf: TaskHandler<Hub> = () => new Promise(() => {});

it("a cancelled task: whatever is said of it then is late", async () => {
  const { ada, bob, send } = await pair();
  const [late, errors] = [new Heard(ada, "late"), new Heard(bob, "error")];
  const { begun, worker } = hire(bob, async (_, { signal }) => {
    await aborted(signal);
    return "too late";
  });
  const task = await send("x");
  const ended = later(task.result());
  const { signal, told } = await begun;
  await ada.cancel({ id: task.id, reason: "not needed any more" });
  expect(await aborted(signal)).toMatchObject({
    why: "cancelled",
    message: expect.stringContaining("it was cancelled: not needed any more"),
  });
  await expect(ended).rejects.toMatchObject({ task: { failure: "cancelled" } });
  expect((await late.count(1))[0]).toMatchObject({ message: { id: task.id, result: "too late" } });
  await worker.close();
  expect([await told, errors.all]).toEqual(["cancelled", []]);
});

it("a task of another instance that it was told to work for", async () => {
  const { ada, bob } = await pair();
  const { begun } = hire(bob, obedient, { for: `carl${pairs}` });
  const { id } = await ada.send({ to_claude: `carl${pairs}`, task: "x" });
  const { signal } = await begun;
  await ada.cancel({ id });
  expect(await aborted(signal)).toMatchObject({ why: "cancelled" });
});

it("a deleted task", async () => {
  const { ada, bob, send } = await pair();
  const { begun } = hire(bob, obedient);
  const { id } = await send("x");
  const { signal } = await begun;
  await ada.delete({ id });
  const reason = await aborted(signal);
  expect(reason).toBeInstanceOf(ClaimLost);
  expect(reason).toMatchObject({ why: "deleted", message: `the claim on task ${id} is gone: it was deleted` });
});

it("a task whose time is up, also when nobody can say so; a result that comes then still counts", async () => {
  const { bob, proxy, send } = await pair();
  const { begun } = hire(bob, async (_, { signal }) => {
    await aborted(signal);
    return "nearly in time";
  });
  const before = performance.now();
  const task = await send("x", { timeout_ms: 200, max_attempts: 2, backoff_ms: 60_000 });
  const { signal, deadline = 0 } = await begun;
  proxy.blackHole();
  expect(deadline - before).toBeGreaterThanOrEqual(200);
  expect(await aborted(signal)).toMatchObject({ why: "timed_out" });
  proxy.resume();
  expect(await task.result()).toMatchObject({ result: "nearly in time", attempt: 1 });
});

it("a task whose time is up, counted from its claim although the end of the last one was still to be told", async () => {
  const clock = new ManualClock();
  const { bob, send } = await pair("websocket", clock);
  const first = await send("its result is too long, which is its failure");
  const second = await send("second", { timeout_ms: 1_000 });
  const failed = later(first.result());
  bob.work(({ id }, { told, signal, deadline = 0 }) => {
    if (id === second.id) {
      clock.advance(deadline - clock.now());
      return `${signal.reason?.why}`;
    }
    void told.then(() => clock.advance(400));
    return "x".repeat(LIMITS.result_bytes + 1);
  });
  expect(await second.result()).toMatchObject({ result: "timed_out" });
  await expect(failed).rejects.toThrow(/result is longer than/);
});

it("a task whose lease ran out while the line was down", async () => {
  const { ada, bob, proxy, send } = await pair();
  const requeued = new Heard(ada, "requeued");
  const { begun } = hire(bob, obedient);
  const { id } = await send("x", { backoff_ms: 60_000 });
  const { signal } = await begun;
  proxy.faults.refuse = "connections";
  proxy.cut();
  await requeued.find(({ message }) => message.id === id);
  expect(signal.aborted).toBe(false);
  proxy.faults.refuse = undefined;
  expect(await aborted(signal)).toMatchObject({ why: "lease_lost", message: expect.stringContaining("was gone") });
});

it("a task that was taken away before its claim was answered is not begun", async () => {
  const { ada, bob, proxy, send } = await pair();
  const cancelled = new Heard(ada, "cancelled");
  const begun: string[] = [];
  bob.work(({ task }) => void begun.push(task));
  await bob.stats(); // the question for a task is at the hub
  proxy.blackHole();
  const { id } = await send("x");
  await ada.cancel({ id });
  await cancelled.find(({ message }) => message.id === id);
  proxy.resume();
  await (await send("y")).result();
  expect(begun).toEqual(["y"]);
});

it.each(["websocket", "long_poll"] as const)(
  "a task that is taken away while so much lies untaken that nobody can say so (%s)",
  async (transport) => {
    const { ada, bob, send } = await pair(transport);
    const events = bob.events();
    const { begun } = hire(bob, obedient);
    const { id } = await send("x");
    const { signal } = await begun;
    const context = "x".repeat(LIMITS.context_bytes);
    await Promise.all(["1", "2", "3", "4", "5"].map((text) => ada.chat(bob.as as string, text, { context })));
    await ada.cancel({ id });
    expect(await aborted(signal)).toMatchObject({ why: "cancelled" });
    await events.return?.();
  },
);

it("a worker that closes waits for drain_ms, then aborts, and gives back untried what did not end well", async () => {
  const { ada, bob, send } = await pair();
  const errors = new Heard(bob, "error");
  const options = { drain_ms: 50, concurrency: 2 };
  const { worker, begun } = hire(
    bob,
    async ({ task }, { signal }) => {
      const reason = await aborted(signal);
      if (task === "hasty") return "just made it";
      throw reason;
    },
    options,
  );
  const [hasty, slow] = [await send("hasty"), await send("slow")];
  const { signal } = await begun;
  while (worker.busy < 2) await bob.stats();
  await worker.close();
  expect([signal.reason, worker.busy]).toMatchObject([{ why: "closing" }, 0]);
  expect(await hasty.result()).toMatchObject({ result: "just made it" });
  expect(await ada.get({ id: slow.id })).toMatchObject({ status: "pending", attempt: 1, tries_left: 3 });
  expect(errors.all).toEqual([]);
});

it("a worker that drains can be told to wait no longer, nor for a handler that hears nothing", async () => {
  const { ada, bob, send } = await pair();
  const { worker, begun } = hire(bob, deaf, { abort_ms: 20 });
  const { id } = await send("x");
  const { signal } = await begun;
  const closed = worker.close();
  expect(signal.aborted).toBe(false);
  await worker.close({ force: true });
  await closed;
  expect(signal.reason).toMatchObject({ why: "closing" });
  expect(await ada.get({ id })).toMatchObject({ status: "pending", attempt: 1, tries_left: 3 });
});

it("a hub that closes bears that its line is down for a moment, whenever that is", async () => {
  const clock = new ManualClock();
  const { bob, proxy, send } = await pair("websocket", clock);
  let finish!: (result: string) => void;
  const { begun } = hire(bob, () => new Promise<string>((resolve) => (finish = resolve)));
  const task = await send("x");
  const { signal } = await begun;
  const breakLine = async () => {
    proxy.cut();
    await reaches(bob, "waiting");
  };
  await breakLine();
  const closed = bob.close();
  clock.advance(1_000);
  await reaches(bob, "online");
  clock.advance(3_999);
  await breakLine();
  clock.advance(1_000); // past 5 seconds after close()
  await reaches(bob, "online");
  finish("in peace");
  await closed;
  expect(signal.aborted).toBe(false);
  expect(await task.result()).toMatchObject({ result: "in peace" });
});

it("a hub that closes waits for nobody when there has been no line for 5 seconds", async () => {
  const clock = new ManualClock();
  const { bob, proxy, send } = await pair("websocket", clock);
  const { worker, begun } = hire(bob, deaf, { abort_ms: 20 });
  await send("x");
  const { signal, told } = await begun;
  proxy.faults.refuse = "connections";
  proxy.cut();
  await reaches(bob, "waiting");
  clock.advance(1_000);
  const closed = bob.close();
  clock.advance(3_999);
  expect(signal.aborted).toBe(false);
  clock.advance(1);
  expect(await aborted(signal)).toMatchObject({ why: "closing" });
  let isOver = false;
  void closed.then(() => (isOver = true));
  for (; !isOver; await turn()) clock.advance(20);
  await worker.done;
  expect([signal.reason, await told]).toMatchObject([{ why: "closing" }, "closing"]);
});

describe("a worker that closes while the hub is out of reach waits 5 seconds for it", () => {
  async function cutOff() {
    const server = await startHub();
    const proxy = await FaultProxy.start({ port: server.port });
    const clock = new ManualClock();
    const ada = await join(server.url, { as: "ada" });
    const bob = await join(through(proxy), { as: "bob", clock, transport: "websocket" });
    const loseLine = async () => {
      proxy.faults.refuse = "connections";
      proxy.cut();
      await reaches(bob, "waiting");
    };
    const comeBack = async () => {
      proxy.faults.refuse = undefined;
      clock.advance(20_000);
      await reaches(bob, "online");
    };
    return { proxy, clock, ada, bob, loseLine, comeBack };
  }

  it("for an answer to its question; a task that was given to it goes back", async () => {
    const { proxy, clock, ada, bob, loseLine, comeBack } = await cutOff();
    const [claimed, released] = [new Heard(ada, "claimed"), new Heard(ada, "released")];
    const { worker } = hire(bob, deaf);
    await bob.stats(); // the question for a task is at the hub
    proxy.blackHole();
    const { id } = await ada.send({ to_claude: "bob", task: "x" });
    await claimed.count(1);
    const lost = loseLine();
    proxy.resume();
    await lost;
    const closed = worker.close();
    clock.advance(5_000);
    await closed;
    await worker.done;
    await comeBack();
    expect(await released.find(({ message }) => message.id === id)).toMatchObject({ message: { tries_left: 3 } });
  });

  it("to be told what it gives back, and tells it later if it can", async () => {
    const { clock, ada, bob, loseLine, comeBack } = await cutOff();
    const released = new Heard(ada, "released");
    const { worker, begun } = hire(bob, obedient);
    const { id } = await ada.send({ to_claude: "bob", task: "x" });
    await begun;
    await loseLine();
    const closed = worker.close({ force: true });
    clock.advance(5_000);
    await closed;
    await comeBack();
    expect(await released.find(({ message }) => message.id === id)).toMatchObject({ message: { tries_left: 3 } });
  });

  it("but for as long as it takes where it has a result, and was not told to hurry", async () => {
    const { clock, ada, bob, loseLine, comeBack } = await cutOff();
    let finish!: (result: string) => void;
    const { worker, begun } = hire(bob, () => new Promise<string>((resolve) => (finish = resolve)));
    const task = await ada.send({ to_claude: "bob", task: "x" });
    await begun;
    await loseLine();
    const closed = worker.close();
    finish("done");
    clock.advance(10_000);
    await reaches(bob, "waiting");
    expect(worker.busy).toBe(1);
    await comeBack();
    await closed;
    expect(await task.result()).toMatchObject({ result: "done" });
  });
});

it.each(["websocket", "long_poll"] as const)(
  "a failure is told as one, although the worker was closed with force before it had travelled (%s)",
  async (line) => {
    const { bob, send } = await pair(line);
    const { begun, worker } = hire(bob, (_, { progress }) => {
      progress(50);
      throw new Error("cannot be done");
    });
    const failed = later((await send("x")).result());
    const { told } = await begun;
    await turn();
    await worker.close({ force: true });
    await expect(failed).rejects.toThrow("cannot be done");
    expect(await told).toBeUndefined();
  },
);

it("a closing worker does not wait for ever for a hub that takes nothing", async () => {
  const clock = new ManualClock();
  const { url } = await startHub({ rates: { changes: 4, windowMs: 600_000, limitsLocal: true } });
  const [ada, bob] = [await join(url, { as: "ada" }), await join(url, { as: "bob", clock })];
  const idle = bob.work(() => "nothing to do", { for: "nobody" });
  const finish = new AbortController();
  const { begun, worker } = hire(bob, () => aborted(finish.signal).then(() => "done"));
  const { id } = await ada.send({ to_claude: "bob", task: "x" });
  const { told } = await begun;
  await Promise.all([1, 2, 3, 4].map(() => bob.chat("ada", "one too many for all that follows")));
  finish.abort();
  await turn();
  const closed = [worker.close({ force: true }), idle.close()];
  await reaches(bob, "online"); // idle's question is asked again, on another line
  clock.advance(15_000);
  await Promise.all(closed);
  expect(await told).toBe("closing");
  expect(await ada.get({ id })).toMatchObject({ status: "in_progress" });
});

it.each(["websocket", "long_poll"] as const)(
  "how far it is reaches the sender, the last word before the end (%s)",
  async (line) => {
    const { ada, bob, send } = await pair(line);
    const [told, errors] = [new Heard(ada, "progress"), new Heard(bob, "error")];
    const { begun } = hire(bob, async (_, { progress }) => {
      progress(Number.NaN, "\ud800");
      for (let percent = 0; percent < 1_000; percent++) progress(percent / 10, `${percent}`);
      progress(250, "x".repeat(100_000));
      progress(99.5, "nearly");
      return "done";
    });
    const task = await send("x");
    expect(await task.result()).toMatchObject({ result: "done" });
    expect((await ada.get({ id: task.id })).progress).toMatchObject({ percent: 99.5, note: "nearly" });
    const { progress } = await begun;
    progress(1, "after the end");
    await bob.stats();
    expect(told.all.length).toBeLessThanOrEqual(3);
    expect(errors.all).toEqual([]);
  },
);

it("more time, for as long as it is its own", async () => {
  const { ada, bob, send } = await pair();
  const { begun } = hire(bob, obedient);
  const { id } = await send("x");
  const { extend } = await begun;
  await extend(3_600_000);
  await extend();
  await ada.cancel({ id });
  await expect(extend(1_000)).rejects.toMatchObject({ code: "wrong_status" });
});
