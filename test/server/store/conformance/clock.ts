/** Clocks that are set, processes that are stopped: what measures time is not touched by it, what a calendar names is. */
import { expect, test } from "vitest";
import type { Message } from "../../../../shared/message.ts";
import { LEASE, lostRun, MINUTE, name, run, SECOND } from "../../core/support.ts";
import type { Section, StoreDriver } from "../driver.ts";

const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** What can happen to a clock. */
export const JUMPS: Record<string, (clock: StoreDriver["clock"]) => void> = {
  "put forward an hour": (clock) => clock.step(HOUR),
  "put forward a day": (clock) => clock.step(DAY),
  "put back an hour": (clock) => clock.step(-HOUR),
  "put back a day": (clock) => clock.step(-DAY),
  "of a process that was stopped for an hour": (clock) => clock.stop(HOUR),
};

/** A task for each kind of deadline, the first to come first: in how many ms, and what is told of it then. */
export async function timedTasks(hub: StoreDriver): Promise<[due: number, task: Message, kind: string][]> {
  const worker = hub.newName("worker");
  const take = async (by: ReturnType<typeof name>, said: object = {}) =>
    hub.claim(await hub.send({ to_claude: worker, max_attempts: 1, ...said }), by);
  await take(run(worker, "kept"));
  const gone = await take(lostRun(worker, "gone"));
  const timed = await take(run(worker, "timed"), { timeout_ms: 40 * SECOND });
  const lengthened = await take(run(worker, "lengthened"));
  await hub.change(lengthened, { op: "extend", attempt: 1, lease_ms: 50 * SECOND }, run(worker, "lengthened"));
  await hub.commit({ op: "lapse", holder: { claude_id: worker, run: "lengthened" }, forMs: SECOND });
  const tired = await take(run(worker, "tired"), { backoff_ms: 8 * MINUTE, max_attempts: 2 });
  const resting = await hub.failRetryable(tired, run(worker, "tired"));
  const detached = await take(name(worker));
  return [
    [LEASE.graceMs, gone, "failed"],
    [40 * SECOND, timed, "failed"],
    [50 * SECOND, lengthened, "failed"],
    [Date.parse(resting.not_before as string) - hub.now, resting, "ready"],
    [LEASE.detachedMs, detached, "failed"],
  ];
}

/** What is told of each from now on, and when. */
export async function expectInTime(hub: StoreDriver, tasks: Awaited<ReturnType<typeof timedTasks>>): Promise<void> {
  const told = async () => (await hub.wake()).entries.map(({ id, kind }) => [id, kind]);
  let passed = 0;
  for (const [due, { id }, kind] of tasks) {
    hub.clock.advance(due - passed - 1);
    expect(await told()).toEqual([]);
    hub.clock.advance(1);
    expect(await told()).toEqual([[id, kind]]);
    passed = due;
  }
}

export const clock: Section = (hub) => {
  test.each(Object.entries(JUMPS))("%s: every deadline comes when as much time has passed", async (_, jump) => {
    const tasks = await timedTasks(hub());
    jump(hub().clock);
    await expectInTime(hub(), tasks);
  });

  test("put back little by little: all that adds up is less than a second", async () => {
    const worker = name(hub().newName("worker"));
    const held = await hub().claim(await hub().send({ to_claude: worker.claude_id }), worker);
    for (let i = 0; i < 50; i++) {
      hub().clock.step(-300);
      await hub().wake();
    }
    const left = Date.parse((await hub().get(held))?.lease_until as string) - hub().now;
    expect(Math.abs(left - LEASE.detachedMs)).toBeLessThan(SECOND);
    await hub().delete(held);
  });

  test("set while a batch is on its way: what it says is of the new time already", async () => {
    const worker = name(hub().newName("worker"));
    const task = await hub().send({ to_claude: worker.claude_id });
    hub().clock.step(DAY);
    const held = await hub().claim(task, worker);
    expect(Date.parse(held.lease_until as string)).toBe(hub().now + LEASE.detachedMs);
    await hub().wake();
    expect(await hub().get(task)).toEqual(held);
    await hub().delete(task);
  });

  test("set: what a calendar names follows it", async () => {
    const to_claude = hub().newName("worker");
    const later = await hub().send({ to_claude, not_before: hub().now + HOUR });
    const short = await hub().send({ to_claude: hub().newName("worker"), expires_at: hub().now + DAY });
    hub().clock.step(-DAY);
    hub().clock.advance(DAY);
    expect((await hub().wake()).entries).toEqual([]);
    hub().clock.step(HOUR);
    expect((await hub().wake()).entries.map(({ id, kind }) => [id, kind])).toEqual([[later.id, "ready"]]);
    hub().clock.step(DAY);
    expect((await hub().wake()).entries.map(({ id, kind }) => [id, kind])).toEqual([[short.id, "failed"]]);
    await hub().delete(later);
  });

  test("put back: what has waited for its time does not wait for it again", async () => {
    const worker = run(hub().newName("worker"), "r1");
    const said = { to_claude: worker.claude_id, not_before: hub().now, max_attempts: 1, backoff_ms: 0 };
    const held = await hub().claim(await hub().send(said), worker);
    hub().clock.step(-DAY);
    await hub().release(held, worker);
    const again = (await hub().claimNext(worker)) as Message;
    expect(again).toMatchObject({ id: held.id, attempt: 2 });
    await hub().failRetryable(again, worker);
    await hub().change(again, { op: "retry" }, name("boss"));
    expect(await hub().claimNext(worker)).toMatchObject({ id: held.id, attempt: 3 });
  });
};
