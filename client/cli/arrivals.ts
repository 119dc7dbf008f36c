/**
 * Messages that come to an instance: those that wait, oldest first, then those that come. The state is read at a cursor
 * and the log from there on, so that none falls in between. A task has come when it can be claimed.
 */
import { setTimeout } from "node:timers/promises";
import { HubError, LIMITS } from "../../shared/index.ts";
import { isRetryable } from "../sdk/errors.ts";
import type { CallArguments, Hub, HubEvent, Message, Params, Result } from "../sdk/index.ts";

export interface ArrivalOptions {
  /** Whose messages. */
  readonly of: string;
  /** Whether those that wait already are told, too. */
  readonly waiting: boolean;
}

const AGAIN_MS = 500;

/** Survives restarts of the hub. Where the log was lost, it begins again. */
export async function* arrivals(hub: Hub, options: ArrivalOptions): AsyncGenerator<Message, never> {
  for (;;) {
    try {
      const cursor = options.waiting ? yield* waitingNow(hub, options.of) : (await ask(hub, "info", {})).cursor;
      yield* comingAfter(hub, cursor, options.of);
    } catch (error) {
      if (!(error instanceof HubError && error.code === "cursor_lost")) throw error;
    }
  }
}

/** @returns the cursor before the first page was read: what is told twice is better than what is not told. */
async function* waitingNow(hub: Hub, of: string): AsyncGenerator<Message, string> {
  const { time, cursor } = await ask(hub, "info", {});
  for (const place of [{ to_claude: of }, { open_for: of }]) {
    const filter = { ...place, status: "pending", limit: LIMITS.list_messages } as const;
    for (let next: string | undefined; ; ) {
      const list = await ask(hub, "list", { ...filter, ...(next !== undefined && { next }) });
      for (const message of list.messages) if (isDue(message.not_before, time)) yield message;
      next = list.next;
      if (next === undefined) break;
    }
  }
  return cursor;
}

async function* comingAfter(hub: Hub, start: string, of: string): AsyncGenerator<Message, never> {
  for (let after = start; ; ) {
    const page = await ask(hub, "events", { for: of, after, wait_ms: LIMITS.wait_ms });
    after = page.cursor;
    for (const event of page.events) {
      const message = await arrived(hub, event, of);
      if (message) yield message;
    }
  }
}

/** The whole message, when the event says that it has come. */
async function arrived(hub: Hub, { kind, at, message }: HubEvent, of: string): Promise<Message | undefined> {
  const { to_claude, from_claude, status, not_before, id } = message;
  const isMine = to_claude === of || (to_claude === "*" && from_claude !== of);
  if (!isMine || status !== "pending") return undefined;
  if (kind === "new") return isDue(not_before, at) ? (message as Message) : undefined;
  if (kind !== "ready" && kind !== "released") return undefined;
  return await ask(hub, "get", { id }).catch(ifGone);
}

/** What was deleted meanwhile has not come. */
function ifGone(error: unknown): undefined {
  if (!(error instanceof HubError && error.code === "not_found")) throw error;
}

const isDue = (notBefore: string | undefined, now: string) =>
  notBefore === undefined || Date.parse(notBefore) <= Date.parse(now);

/** Asks until there is an answer: the line may break, and the hub restart. */
async function ask<N extends "info" | "list" | "events" | "get">(
  hub: Hub,
  operation: N,
  params: Params<N>,
): Promise<Result<N>> {
  for (;;) {
    try {
      return await hub.call(operation, ...([params] as unknown as CallArguments<N>));
    } catch (error) {
      if (!isRetryable(error)) throw error;
      await setTimeout(AGAIN_MS, undefined, { ref: false });
    }
  }
}
