/** What is exported, page by page through the ordinary operations, so that no page holds the hub up. */
import { EVERYONE, LIMITS, parseCursor } from "../../../shared/index.ts";
import { pages } from "../../sdk/calls/pages.ts";
import type { Event, Message, Params, Result } from "../../sdk/index.ts";
import { Rest } from "../connection/rest.ts";
import type { Context } from "../context.ts";
import { ifGone } from "../messages/ifGone.ts";

/** A message; one to everyone with its receipts. */
type Exported = Message & Partial<Pick<Result<"receipts">, "receipts">>;

export interface ExportPage {
  readonly items: readonly (Exported | Event)[];
  /** Where to go on after this page; undefined: there was no more. */
  readonly next: string | undefined;
  /** How far it is, and of how much; undefined where that is unknown. */
  readonly done: number;
  readonly total: number | undefined;
}

type MessageFilter = Pick<Params<"list">, "status" | "type" | "to_claude" | "from_claude" | "thread_id">;

/** Messages, oldest first. @param next the mark at which an earlier export ended. */
export async function* messagePages(
  context: Context,
  filter: MessageFilter,
  next: string | undefined,
): AsyncIterable<ExportPage> {
  const total = next === undefined ? await totalOf(context, filter) : undefined;
  let done = 0;
  for await (const list of pages(context, "list", { ...filter, limit: LIMITS.list_messages, next })) {
    done += list.count;
    yield { items: await withReceipts(context, list.messages), next: list.next, done, total };
  }
}

async function withReceipts(context: Context, messages: readonly Message[]): Promise<Exported[]> {
  const items: Exported[] = [];
  for (const message of messages) {
    const told =
      message.to_claude === EVERYONE ? await context.call("receipts", { id: message.id }).catch(ifGone) : undefined;
    items.push(told ? { ...message, receipts: told.receipts } : message);
  }
  return items;
}

/** How many there are, as far as counts are kept. */
async function totalOf(context: Context, { status, ...others }: MessageFilter): Promise<number | undefined> {
  if (Object.keys(others).length > 0) return undefined;
  return (await context.call("stats", {}))[status ?? "total"];
}

/** The log as an observer sees it, up to where it stood when the export began. */
export async function* eventPages(
  { url, interrupted }: Context,
  end: string,
  next: string | undefined,
): AsyncIterable<ExportPage> {
  const observer = new Rest({ url, interrupted });
  const last = parseCursor(end).seq;
  let first: number | undefined;
  for (let after = next ?? "start"; ; ) {
    const page = await observer.call("events", { after, limit: LIMITS.page_events });
    first ??= parseCursor(page.after).seq;
    const items = page.events.filter(({ seq }) => seq <= last);
    const at = Math.min(parseCursor(page.cursor).seq, last);
    after = page.cursor;
    yield { items, next: page.cursor, done: at - first, total: last - first };
    if (at >= last) return;
  }
}
