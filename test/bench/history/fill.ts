/**
 * Gives a database a past of a hundred days, through the hub's own store. Of every ten messages one is a chat to the
 * replayer, two are chats to the many readers in turn, and seven are tasks of others that were done; once every reader
 * has its share, all are tasks of others.
 */

import { checkWhole } from "../../../server/store/engine/templates/whole.ts";
import { SqliteHost } from "../../../server/store/sqlite/file/host.ts";
import type { StoreCommand } from "../../../server/store/storeCommands.ts";
import { LEASES } from "../../../shared/defaults.ts";
import { RESULT, TASK } from "../lifecycle/driver.ts";

export const REPLAYER = "bench_replayer";
export const readerName = (index: number) => `bench_reader_${index}`;

/** Chats that wait for each reader. */
export const CHATS_EACH = 20;

export interface Past {
  messages: number;
  /** At most a hundredth of the messages. */
  readers: number;
}

const OTHER = "bench_other";
const CALLER = { claude_id: OTHER, run: "fill", attached: false };
const BATCH = 1_000;
const DAY_MS = 86_400_000;

/** How old the oldest message is. */
export const PAST_DAYS = 100;

/** Writes a new database. @param told is told now and then how many messages there are. */
export function fill(file: string, { messages, readers }: Past, told: (written: number) => void): void {
  const lease = { graceMs: LEASES.grace_ms, detachedMs: LEASES.detached_ms, backoffMaxMs: DAY_MS };
  const begin = Date.now() - PAST_DAYS * DAY_MS;
  const host = new SqliteHost({ file, lease, openedAt: begin }, checkWhole);
  for (let serial = 0; serial < messages; serial += BATCH) {
    const now = begin + Math.floor((serial / messages) * PAST_DAYS * DAY_MS);
    write(host, range(serial, Math.min(serial + BATCH, messages)), readers, now);
    if ((serial / BATCH) % 500 === 0) told(serial);
  }
  host.close();
}

function write(host: SqliteHost, serials: number[], readers: number, now: number): void {
  const moment = { now, awake: now };
  const sent = host.commit(
    serials.map((serial) => send(readerOf(serial, readers))),
    moment,
  );
  const tasks = sent.outcomes.filter((_, i) => readerOf(serials[i] as number, readers) === undefined);
  const ids = tasks.map((outcome) => JSON.parse((outcome as { json: string }).json).id as string);
  host.commit(ids.map(complete), moment);
}

const send = (reader: string | undefined): StoreCommand => ({
  op: "send",
  said: { from_claude: OTHER, to_claude: reader ?? OTHER, task: TASK, type: reader ? "chat" : "task" },
});

const complete = (id: string): StoreCommand => ({
  op: "change",
  id,
  caller: CALLER,
  command: { op: "complete", result: RESULT },
});

const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);

function readerOf(serial: number, readers: number): string | undefined {
  const block = Math.floor(serial / 10);
  const place = serial % 10;
  if (block >= blocksOf(readers) || place > 2) return undefined;
  return place === 2 ? REPLAYER : readerName((block * 2 + place) % readers);
}

/** Blocks of ten messages until every reader has its share. */
const blocksOf = (readers: number) => (readers * CHATS_EACH) / 2;

/** Chats that wait for the replayer, one a block. */
export const replayerChats = blocksOf;
