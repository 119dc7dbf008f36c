/** The log: who sees what of it, in which portions, and that a replay is what went out live. */
import { expect, test } from "vitest";
import type { Reader } from "../../../../server/core/view.ts";
import type { LogEntry } from "../../../../server/store/store.ts";
import { seededRandom } from "../../../support/random.ts";
import { name, run } from "../../core/support.ts";
import { parsed, type Section, type StoreDriver, sending } from "../driver.ts";

/** A little of everything between two instances, and to everyone. */
async function life(hub: StoreDriver) {
  const [boss, worker, other] = [hub.newName("boss"), hub.newName("worker"), hub.newName("other")];
  const by = run(worker, "r1");
  const start = hub.head;
  const said = { from_claude: boss, to_claude: worker, backoff_ms: 0 };
  const first = await hub.send({ ...said, context: "c" });
  await hub.commit(sending({ from_claude: other, to_claude: other }));
  await hub.commit({ op: "delivered", reader: worker, ids: [first.id] });
  await hub.failRetryable(await hub.claim(first, by), by);
  await hub.release(await hub.claim(first, by), by);
  await hub.complete(await hub.claim(first, by), by, "42");
  await hub.commit(sending({ from_claude: boss, to_claude: "*", type: "chat", task: "hello all" }));
  await hub.fail(await hub.claim(await hub.send(said), by), by, "no");
  await hub.commit(sending({ from_claude: worker, to_claude: boss, type: "chat" }));
  return { boss, worker, other, start };
}

const seqs = (entries: readonly LogEntry[]) => entries.map(({ seq }) => seq);
const json = (entries: readonly LogEntry[]) => entries.map((entry) => entry.json);
const seenBy = (reader: Reader, { from, to }: LogEntry) =>
  reader === null || from === reader || to === reader || to === "*";

export const log: Section = (hub) => {
  test("each reader sees what it sent, what was sent to it and to everyone; an observer sees all", async () => {
    const { boss, worker, other, start } = await life(hub());
    for (const reader of [boss, worker, other, "stranger", null]) {
      const { entries, upTo } = await hub().log(reader, start);
      const visible = hub().live.filter((entry) => entry.seq > start && seenBy(reader, entry));
      expect(seqs(entries)).toEqual(seqs(visible));
      expect(upTo).toBe(hub().head);
    }
    expect((await hub().log("stranger", start)).entries.map(({ to }) => to)).toEqual(["*"]);
  });

  test("a replay is what went out live, byte for byte (I4)", async () => {
    const { boss, worker, start } = await life(hub());
    for (const reader of [boss, worker, null]) {
      const { entries } = await hub().log(reader, start);
      const live = hub().live.filter((entry) => entry.seq > start && seenBy(reader, entry));
      expect(json(entries)).toEqual(json(live));
      const rest = ({ seq, kind, id, from, to, bodiesAt }: LogEntry) => ({ seq, kind, id, from, to, bodiesAt });
      expect(entries.map(rest)).toEqual(live.map(rest));
    }
  });

  test("what stands before its bodies and the bodies make the event", async () => {
    const { start } = await life(hub());
    for (const entry of (await hub().log(null, start)).entries) {
      const bare = JSON.parse(`${entry.json.slice(0, entry.bodiesAt)}}}`).message;
      expect(Object.keys(bare)).not.toEqual(expect.arrayContaining(["task"]));
      const { task, context, result, error, ...rest } = parsed(entry).message;
      expect(rest).toEqual(bare);
      if (entry.kind === "new") expect(task).toBeDefined();
      if (entry.kind === "completed") expect(result).toBe("42");
      if (entry.kind === "failed") expect(error).toBe("no");
    }
  });

  test("reading from any place gives exactly what is past it", async () => {
    const { worker, start } = await life(hub());
    const all = (await hub().log(worker, start)).entries;
    for (let after = start; after <= hub().head; after++) {
      const { entries } = await hub().log(worker, after);
      expect(seqs(entries)).toEqual(seqs(all).filter((seq) => seq > after));
    }
    expect(await hub().log(worker, hub().head)).toEqual({ entries: [], upTo: hub().head });
  });

  test.each([1, 2, 3, 7])(
    "in portions of at most %i: the same, and every portion says how far it goes",
    async (max) => {
      const { worker, start } = await life(hub());
      for (const reader of [worker, null]) {
        const whole = (await hub().log(reader, start)).entries;
        const read: LogEntry[] = [];
        let after = start;
        while (after < hub().head) {
          const { entries, upTo } = await hub().log(reader, after, max);
          expect(entries.length).toBeLessThanOrEqual(max);
          // Short of the head a portion ends with its last event; beyond that there is nothing the reader may see.
          expect(upTo).toBe(read.length + entries.length < whole.length ? entries.at(-1)?.seq : hub().head);
          read.push(...entries);
          after = upTo;
        }
        expect(json(read)).toEqual(json(whole));
      }
    },
  );

  test("in portions of bytes: at least one event, however large, and no more than fit", async () => {
    const { worker, start } = await life(hub());
    const whole = (await hub().log(worker, start)).entries;
    for (const maxBytes of [0, 1, 400, 900, 5_000]) {
      let after = start;
      const read: LogEntry[] = [];
      while (read.length < whole.length) {
        const { entries, upTo } = await hub().log(worker, after, 100, maxBytes);
        expect(entries.length).toBeGreaterThanOrEqual(1);
        if (entries.length > 1) expect(json(entries).join("").length).toBeLessThanOrEqual(maxBytes);
        const next = whole[read.length + entries.length];
        if (next) expect(json([...entries, next]).join("").length).toBeGreaterThan(maxBytes);
        read.push(...entries);
        after = upTo;
      }
      expect(json(read)).toEqual(json(whole));
    }
  });

  test("events name their actor, and none when the hub acted", async () => {
    const [boss, worker] = [hub().newName("boss"), name(hub().newName("worker"))];
    const start = hub().head;
    const task = await hub().send({ from_claude: boss, to_claude: worker.claude_id, timeout_ms: 1, max_attempts: 1 });
    await hub().claim(task, worker);
    hub().clock.advance(1);
    await hub().wake();
    await hub().delete(task, name(boss));
    const actors = (await hub().events(boss, start)).map(({ kind, actor }) => [kind, actor]);
    expect(actors).toEqual([
      ["new", boss],
      ["claimed", worker.claude_id],
      ["failed", undefined],
      ["deleted", boss],
    ]);
  });

  test("in a long log every reader finds the same from any place, under its name and those of its pools", async () => {
    const random = seededRandom();
    const names = Array.from({ length: 4 }, () => hub().newName("agent"));
    const pool = `@${hub().newName("pool")}`;
    const chat = () =>
      sending({ from_claude: random.pick(names), to_claude: random.pick([...names, pool, "*"]), type: "chat" });
    const start = hub().head;
    while (hub().head < start + LONG) await hub().commit(...Array.from({ length: 1 + random.int(300) }, chat));
    for (let i = 0; i < 200; i++) {
      const addresses = [random.pick([...names, "stranger"]), ...(random.next() < 0.5 ? [pool] : [])];
      const [after, max] = [start + random.int(LONG), 1 + random.int(400)];
      const { entries, upTo } = await hub().log(addresses.join(" "), after, max);
      const visible = hub().live.filter((entry) => entry.seq > after && reaches(addresses, entry));
      expect(seqs(entries)).toEqual(seqs(visible.slice(0, max)));
      expect(upTo).toBe(visible.length > max ? visible[max - 1]?.seq : hub().head);
    }
  });
};

const LONG = 600;

const reaches = (addresses: string[], { from, to }: LogEntry) =>
  from === addresses[0] || to === "*" || addresses.includes(to);
