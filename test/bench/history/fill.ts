/**
 * Gives a hub a past. Of every ten messages one is a chat to the replayer, two are chats to the many readers in turn,
 * and seven are tasks of others that were done; once every reader has its share, all are tasks of others.
 */
import { HubSocket } from "../lean/hubSocket.ts";
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
const IN_FLIGHT = 1024;

/** Resolves when all of it is committed. */
export async function fill(port: number, { messages, readers }: Past): Promise<void> {
  const { hub } = await HubSocket.open(port, { claude_id: OTHER, run: `fill-${process.pid}` });
  let serial = 0;
  const lane = async () => {
    while (serial < messages) await write(hub, serial++, readers);
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, lane));
  await hub.close();
}

async function write(hub: HubSocket, serial: number, readers: number): Promise<void> {
  const reader = readerOf(serial, readers);
  const to_claude = reader ?? OTHER;
  const type = reader ? "chat" : "task";
  const { message } = await hub.request<{ message: { id: string } }>("send", { to_claude, task: TASK, type });
  if (!reader) await hub.request("complete", { id: message.id, result: RESULT });
}

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
