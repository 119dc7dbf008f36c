/**
 * The database was put back to an earlier state while a client with a newer cursor was away. The client is told, at
 * once and also when the new log has long passed its old place: never silence, and never other events under its seqs.
 */
import { execFileSync } from "node:child_process";
import { copyFileSync, cpSync, readdirSync, rmSync } from "node:fs";
import { join as path } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { formatCursor, parseCursor } from "../../shared/cursor.ts";
import { Heard, join } from "../client/sdk/support.ts";
import { http } from "../support/http.ts";
import { startHub, type TestHub } from "../support/hub.ts";
import { RawSocket } from "../support/rawSocket.ts";
import { repository } from "../support/repository.ts";
import { tempDir } from "../support/tempDir.ts";

/** A folder with what was there: `hub.db` and its lock, an older copy, a backup and the lock of its time. */
let past: string;
/** Where a client stood when all was well. */
let cursor: string;

async function send(hub: TestHub, count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    const body = { from_claude: "ada", to_claude: "bob", task: `${i}` };
    await http(`${hub.url}/message`, { method: "POST", body });
  }
}

beforeAll(async () => {
  past = tempDir();
  const db = path(past, "hub.db");
  const first = await startHub({ db });
  await send(first, 3);
  await first.close();
  copyFileSync(db, path(past, "older.db"));
  const second = await startHub({ db });
  await send(second, 3);
  execFileSync(process.execPath, [`${repository}dist/bin/backup.mjs`, db, path(past, "backup.db")]);
  copyFileSync(`${db}.hub-lock`, path(past, "lock-of-backup"));
  await send(second, 3);
  cursor = (await http(second.url)).body.data.cursor;
  await second.close();
});

/** A hub over a copy of what was there, after somebody did something to it. */
async function startAfter(act: (db: string) => void): Promise<TestHub> {
  const folder = tempDir();
  cpSync(past, folder, { recursive: true });
  const db = path(folder, "hub.db");
  act(db);
  return startHub({ db });
}

const beside = (db: string, name: string) => path(db, "..", name);

const DISASTERS: Record<string, (db: string) => void> = {
  "a backup was restored": (db) => copyFileSync(beside(db, "backup.db"), db),
  "a backup was restored, with the lock file of its time": (db) => {
    copyFileSync(beside(db, "backup.db"), db);
    copyFileSync(beside(db, "lock-of-backup"), `${db}.hub-lock`);
  },
  "an older copy was put back": (db) => copyFileSync(beside(db, "older.db"), db),
  "an older copy was put back, without the lock file": (db) => {
    copyFileSync(beside(db, "older.db"), db);
    rmSync(`${db}.hub-lock`);
  },
  "the lock file was deleted": (db) => rmSync(`${db}.hub-lock`),
  "the database was deleted": (db) => rmSync(db),
  "everything was deleted": (db) => {
    for (const file of readdirSync(beside(db, "."))) rmSync(beside(db, file));
  },
};

/** What a reader is told that comes back with the cursor it had. */
async function told(hub: TestHub, had = cursor) {
  const socket = await RawSocket.greet(hub.wsUrl, { claude_id: "bob", run: "away", resume: had });
  const { resumed, reason, cursor: now } = socket.welcome;
  const poll = await http(`${hub.url}/events?after=${had}&for=bob`);
  const stream = await http(`${hub.url}/events?for=bob`, {
    headers: { accept: "text/event-stream", "last-event-id": had },
  });
  await socket.close();
  return { resumed, reason, now, poll, stream };
}

const LOST = { status: 410, body: { success: false, code: "cursor_lost" } };

describe("a client comes back after", () => {
  test.each(Object.entries(DISASTERS))("%s", async (_, act) => {
    const hub = await startAfter(act);
    for (const passed of [false, true]) {
      if (passed) await send(hub, 10); // now there are other events under the seqs that the client has seen
      const { resumed, reason, now, poll, stream } = await told(hub);
      expect({ resumed, reason }).toEqual({ resumed: false, reason: "epoch" });
      expect(poll).toMatchObject(LOST);
      expect(poll.body.details).toEqual({ reason: "epoch", cursor: now });
      expect(stream).toMatchObject(LOST);
    }
    const bob = await join(hub.url, { as: "bob", resume: cursor });
    const resyncs = new Heard(bob, "resync");
    const waiting = new Heard(bob, "new");
    expect(await resyncs.count(1)).toMatchObject([{ reason: "epoch" }]);
    expect((await waiting.count(10)).every(({ backlog }) => backlog)).toBe(true);
  });

  test("nothing but a restart: it goes on where it was", async () => {
    const hub = await startAfter(() => {});
    await send(hub, 1);
    const socket = await RawSocket.greet(hub.wsUrl, { claude_id: "bob", resume: cursor });
    expect(socket.welcome).toMatchObject({ resumed: true, cursor });
    expect(await socket.eventsUntil(1)).toMatchObject([{ kind: "new" }]);
    const poll = await http(`${hub.url}/events?after=${cursor}&for=bob`);
    expect(poll.body.data.events).toEqual(socket.events);
  });
});

test("a restored file that is put back once more to what it was before is another log again", async () => {
  const hub = await startAfter((db) => copyFileSync(beside(db, "backup.db"), db));
  await send(hub, 20);
  const restored = (await http(hub.url)).body.data.cursor as string;
  await hub.close();
  copyFileSync(path(past, "older.db"), hub.db);
  const { url } = await startHub({ db: hub.db });
  const after = async (at: string) => (await http(`${url}/events?after=${at}`)).body.details?.reason;
  expect(await after(cursor)).toBe("epoch");
  expect(await after(restored)).toBe("epoch");
});

test("a cursor ahead of the log is told so, by every transport", async () => {
  const hub = await startAfter(() => {});
  const { epoch, seq } = parseCursor(cursor);
  const { resumed, reason, poll, stream } = await told(hub, formatCursor(epoch, seq + 100));
  expect({ resumed, reason }).toEqual({ resumed: false, reason: "ahead" });
  expect(poll).toMatchObject({ ...LOST, body: { details: { reason: "ahead" } } });
  expect(stream).toMatchObject(LOST);
});
