/** The log loses its beginning while sessions read it: they go on without a gap, or are told that they cannot. */
import { expect, test } from "vitest";
import type { StoreCommand } from "../../../server/store/storeCommands.ts";
import { chat, complete, expected, Follower, HeldLog, START, settled } from "./heldLog.ts";

/** Leaves only the log's last entry. */
const PRUNE: StoreCommand = {
  op: "prune",
  complete_before: null,
  failed_before: null,
  log_before: 1,
  max_bytes: null,
  keys_after: null,
  seen_before: null,
  history_before: null,
  max_instances: null,
};

const chats = (count: number, to: string, task?: string) => Array.from({ length: count }, () => chat("ada", to, task));

test("a read that comes to the store after the pruning is refused, and its reader told, with no page at all", async () => {
  const log = await HeldLog.start(chats(5, "bob"));
  const bob = new Follower(log, { reader: "bob", cursor: 2 });
  await log.store.commit([PRUNE], START); // neither delivery nor the hub knows of it yet
  await log.reads.shift()?.arrive();
  expect(bob).toMatchObject({ lost: true, pages: [], session: { state: "closed" } });
  expect(log.delivery).toMatchObject({ floor: 4, sessions: 0 });
  expect(log.failures).toEqual([]);
});

test("a read that came before it is whole, and the next one is refused", async () => {
  const log = await HeldLog.start(chats(5, "bob"));
  const bob = new Follower(log, { reader: "bob", cursor: 0, pageEvents: 2 });
  const first = log.reads.shift();
  await first?.happen();
  await log.store.commit([PRUNE], START);
  await first?.arrive();
  expect(bob.entries.map(({ seq }) => seq)).toEqual([1, 2]);
  await log.reads.shift()?.arrive();
  expect(bob).toMatchObject({ lost: true, problems: [], pages: [{ upTo: 2 }] });
});

test("a reader whose window is closed is told when it has room again", async () => {
  const log = await HeldLog.start(chats(5, "bob"));
  const bob = new Follower(log, { reader: "bob", cursor: 0, pageEvents: 2, window: { events: 1, bytes: 1 } });
  await log.reads.shift()?.arrive();
  await log.store.commit([PRUNE], START);
  await settled();
  expect([bob.lost, log.reads.length]).toEqual([false, 0]);
  bob.ack();
  await log.reads.shift()?.arrive();
  expect(bob.lost).toBe(true);
});

test("a cursor exactly at the floor goes on", async () => {
  const log = await HeldLog.start(chats(5, "bob"));
  await log.store.commit([PRUNE], START);
  const bob = new Follower(log, { reader: "bob", cursor: 4 });
  await log.drain();
  expect(bob).toMatchObject({ lost: false, problems: [], session: { state: "live" } });
  expect(bob.entries.map(({ json }) => json)).toEqual(await expected(log, bob));
});

test("what memory still holds is told in full although the disk has lost it", async () => {
  const log = await HeldLog.start();
  const bob = new Follower(log, { reader: "bob", cursor: 0, window: { events: 1, bytes: 1 }, pageEvents: 2 });
  await log.commitAndAnnounce(...chats(6, "bob"));
  await log.store.commit([PRUNE], START);
  await bob.catchUp(log);
  expect(bob).toMatchObject({ lost: false, problems: [] });
  expect(bob.entries.map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5, 6]);
});

test("what memory still holds has lost the bodies of messages that were pruned together, as the disk has", async () => {
  const log = await HeldLog.start();
  await log.commitAndAnnounce(
    chat("ada", "bob", "secret 1"),
    chat("ada", "bob", "secret 2"),
    chat("ada", "bob", "kept"),
  );
  await log.commitAndAnnounce(complete("1"), complete("2"));
  await log.commitAndAnnounce({ ...PRUNE, log_before: null, complete_before: 1 });
  const bob = new Follower(log, { reader: "bob", cursor: 0 });
  expect(log.reads).toEqual([]);
  expect(bob.entries).toHaveLength(7);
  expect(bob.entries.map(({ json }) => json)).toEqual(await expected(log, bob));
  expect(bob.entries.map(({ json }) => json).join()).not.toContain("secret");
});

test("a quiet reader at the head has missed nothing, however far the floor has passed its cursor", async () => {
  const log = await HeldLog.start(chats(3, "bob"));
  const bob = new Follower(log, { reader: "bob", cursor: 3, pageEvents: 1 });
  for (let i = 0; i < 5; i++) await log.commitAndAnnounce(...chats(40, "cyd", "t".repeat(64 * 1024))); // beyond the tail
  await log.store.commit([PRUNE], START);
  expect([bob.session.state, bob.session.cursor]).toEqual(["live", 3]);
  await log.commitAndAnnounce(...chats(3, "bob")); // too many for one page: it has to read
  await bob.catchUp(log);
  expect(bob).toMatchObject({ lost: false, problems: [], session: { state: "live" } });
  expect(bob.entries.map(({ seq }) => seq)).toEqual([204, 205, 206]);
});

test("also when the commit's answer was lost", async () => {
  const log = await HeldLog.start(chats(3, "bob"));
  const bob = new Follower(log, { reader: "bob", cursor: 3 });
  await log.commitAndAnnounce(...chats(9, "cyd"));
  await log.store.commit([{ ...PRUNE, log_before: 1 }], START);
  await log.commit(...chats(1, "bob"));
  log.lose();
  await log.commitAndAnnounce(...chats(1, "bob"));
  await bob.catchUp(log);
  expect(bob).toMatchObject({ lost: false, problems: [] });
  expect(bob.entries.map(({ seq }) => seq)).toEqual([13, 14]);
});
