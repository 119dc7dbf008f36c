/**
 * Messages that come to an instance: those that wait, oldest first, then those that come. The state is read at a cursor
 * and the log from there on, so that none falls in between. A task has come when it can be claimed.
 */
import { isFor, LIMITS } from "../../../shared/index.ts";
import { type Caller, insist } from "../../sdk/calls/insist.ts";
import { pages } from "../../sdk/calls/pages.ts";
import { systemClock } from "../../sdk/clock.ts";
import { followLog } from "../../sdk/events/followLog.ts";
import type { Event, Hub, Message } from "../../sdk/index.ts";
import { ifGone } from "./ifGone.ts";

interface ArrivalOptions {
  /** Whose messages. */
  readonly of: string;
  /** Whether those that wait already are given, too. */
  readonly waiting: boolean;
}

/** Survives restarts of the hub. Where the log was lost, it begins again. */
export async function* arrivals(hub: Hub, { of, waiting }: ArrivalOptions): AsyncGenerator<Message, never> {
  const caller: Caller = { clock: systemClock, call: hub.call.bind(hub) as Caller["call"] };
  for (const log = followLog(caller, of); ; ) {
    const { isBeginning, events } = (await log.next()).value;
    if (isBeginning && waiting) yield* waitingNow(caller, of);
    for (const event of events) {
      const message = await arrived(caller, event, of);
      if (message) yield message;
    }
  }
}

async function* waitingNow(caller: Caller, of: string): AsyncGenerator<Message, void> {
  const { time } = await insist(caller, "info", {});
  for (const place of [{ to_claude: of }, { open_for: of }]) {
    const filter = { ...place, status: "pending", limit: LIMITS.list_messages } as const;
    const lists = pages({ call: (operation, params) => insist(caller, operation, params) }, "list", filter);
    for await (const { messages } of lists) {
      for (const message of messages) if (isDue(message.not_before, time)) yield message;
    }
  }
}

/** The whole message, when the event says that it has come. */
async function arrived(caller: Caller, { kind, at, message }: Event, of: string): Promise<Message | undefined> {
  const { status, not_before, id } = message;
  if (!isFor(message, [of]) || status !== "pending") return undefined;
  if (kind === "new") return isDue(not_before, at) ? (message as Message) : undefined;
  if (kind !== "ready" && kind !== "released") return undefined;
  return await insist(caller, "get", { id }).catch(ifGone);
}

const isDue = (notBefore: string | undefined, now: string) =>
  notBefore === undefined || Date.parse(notBefore) <= Date.parse(now);
