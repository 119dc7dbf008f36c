/** Leases follow their holders: kept, lapsing, lengthened, all without an event of their own. */
import { expect, test } from "vitest";
import { LEASE, lostRun, MINUTE, name, run, SECOND } from "../../core/support.ts";
import type { Section } from "../driver.ts";

const iso = (ms: number) => new Date(ms).toISOString();

export const leases: Section = (hub) => {
  const take = async (by: ReturnType<typeof name>) => hub().claim(await hub().send({ to_claude: by.claude_id }), by);
  const leaseOf = async (task: { id: string }) => (await hub().get(task))?.lease_until;
  const newRun = (id = "r1") => run(hub().newName("worker"), id);
  const holderOf = ({ claude_id, run: id }: ReturnType<typeof run>) => ({ claude_id, run: id });

  test("of a connected run: as far ahead of every read as it would last without the connection", async () => {
    const task = await take(newRun());
    expect(task.lease_until).toBe(iso(hub().now + LEASE.graceMs));
    hub().clock.advance(MINUTE);
    expect(await leaseOf(task)).toBe(iso(hub().now + LEASE.graceMs));
    await hub().wake();
    expect(await hub().get(task)).toMatchObject({ status: "in_progress" });
  });

  test("of a run without a connection, and of a claim without a run: until a fixed time", async () => {
    const lost = await take(lostRun(hub().newName("worker"), "r1"));
    const detached = await take(name(hub().newName("worker")));
    const since = hub().now;
    hub().clock.advance(SECOND);
    expect(await leaseOf(lost)).toBe(iso(since + LEASE.graceMs));
    expect(await leaseOf(detached)).toBe(iso(since + LEASE.detachedMs));
  });

  test("of a run that goes: its own tasks get an end, nobody else's, and no event tells of it", async () => {
    const [gone, other] = [newRun(), newRun()];
    const [mine, sameName] = [await take(gone), await take({ ...gone, run: "r2" })];
    const [theirs, detached] = [await take(other), await take(name(gone.claude_id))];
    const [head, until] = [hub().head, hub().now + 7 * SECOND];
    const detachedLease = await leaseOf(detached);
    const result = await hub().commit({ op: "lapse", holder: holderOf(gone), forMs: 7 * SECOND });
    expect(result).toMatchObject({ entries: [], outcomes: [{ ok: true, json: null }] });
    expect(result.wakeAt).toBeLessThanOrEqual(until);
    expect(await leaseOf(mine)).toBe(iso(until));
    for (const kept of [sameName, theirs]) expect(await leaseOf(kept)).toBe(iso(hub().now + LEASE.graceMs));
    expect(await leaseOf(detached)).toBe(detachedLease);
    expect(await hub().list()).toMatchObject({ seq: head });

    hub().clock.advance(7 * SECOND);
    const { entries } = await hub().wake();
    expect(entries.map(({ id, kind }) => [id, kind])).toEqual([[mine.id, "requeued"]]);
    await hub().commit({ op: "lapse", holder: { claude_id: gone.claude_id, run: "r2" }, forMs: 0 });
  });

  test("that ends already does not get a later end from going again", async () => {
    const worker = newRun();
    const task = await take(worker);
    const first = hub().now + SECOND;
    await hub().commit({ op: "lapse", holder: holderOf(worker), forMs: SECOND });
    await hub().commit({ op: "lapse", holder: holderOf(worker), forMs: MINUTE });
    expect(await leaseOf(task)).toBe(iso(first));
  });

  test("of a run that comes back in time: kept again", async () => {
    const worker = newRun();
    const task = await take(worker);
    await hub().commit({ op: "lapse", holder: holderOf(worker), forMs: SECOND });
    await hub().commit({ op: "keep", holder: holderOf(worker) });
    hub().clock.advance(MINUTE);
    await hub().wake();
    expect(await hub().get(task)).toMatchObject({ status: "in_progress", lease_until: iso(hub().now + LEASE.graceMs) });
  });

  test("of another run of the same name: not kept by it", async () => {
    const worker = newRun();
    const task = await take(worker);
    const until = hub().now + SECOND;
    await hub().commit({ op: "lapse", holder: holderOf(worker), forMs: SECOND });
    await hub().commit({ op: "keep", holder: { ...holderOf(worker), run: "r2" } });
    expect(await leaseOf(task)).toBe(iso(until));
  });

  test("when every run has gone: all runs' tasks get an end, detached ones keep theirs", async () => {
    const [a, b, detached] = [await take(newRun()), await take(newRun()), await take(name(hub().newName("worker")))];
    const [until, lease] = [hub().now + 3 * SECOND, await leaseOf(detached)];
    await hub().commit({ op: "lapse", forMs: 3 * SECOND });
    expect([await leaseOf(a), await leaseOf(b), await leaseOf(detached)]).toEqual([iso(until), iso(until), lease]);
  });

  test("detached, lengthened by a heartbeat of that name; never shortened, never a run's", async () => {
    const worker = hub().newName("worker");
    const [task, held] = [await take(name(worker)), await take(lostRun(worker, "r1"))];
    const theirs = await take(name(hub().newName("worker")));
    const before = [await leaseOf(held), await leaseOf(theirs)];
    const until = hub().now + LEASE.detachedMs + MINUTE;
    await hub().commit({ op: "lengthen", claude_id: worker, forMs: LEASE.detachedMs + MINUTE });
    await hub().commit({ op: "lengthen", claude_id: worker, forMs: LEASE.detachedMs });
    expect(await leaseOf(task)).toBe(iso(until));
    expect([await leaseOf(held), await leaseOf(theirs)]).toEqual(before);
  });

  test("a chat that is being read has none", async () => {
    const reader = newRun();
    const chat = await hub().claim(await hub().send({ to_claude: reader.claude_id, type: "chat" }), reader);
    await hub().commit({ op: "lapse", forMs: 0 });
    await hub().commit({ op: "lengthen", claude_id: reader.claude_id, forMs: 0 });
    expect(await hub().get(chat)).toEqual(chat);
  });

  test("a task that has ended has none to move", async () => {
    const worker = newRun();
    const done = await hub().complete(await take(worker), worker);
    await hub().commit({ op: "lapse", holder: holderOf(worker), forMs: 0 }, { op: "keep", holder: holderOf(worker) });
    await hub().wake();
    expect(await hub().get(done)).toEqual(done);
  });
};
