/** Lists of messages; an exchange is found by any message of it, and begins with its first. */
import type { Message, Params, Result } from "../../sdk/index.ts";
import type { Context } from "../context.ts";
import { ifGone } from "./ifGone.ts";

type List = Result<"list">;

/** The hub's list; of an exchange with its first message, which `limit` does not count. */
export async function listMessages(context: Context, filters: Params<"list">): Promise<List> {
  const { chain_id: of, ...others } = filters;
  if (of === undefined) return await context.call("list", filters);
  const named = await find(context, of);
  const chain_id = named?.chain_id ?? of;
  const list = await context.call("list", { ...others, chain_id });
  const first = chain_id === of ? named : await find(context, chain_id);
  return first && isOnPage(first, others, list) ? withFirst(list, first, others.order) : list;
}

/** @returns nothing where it was deleted. */
const find = (context: Context, id: string): Promise<Message | undefined> => context.call("get", { id }).catch(ifGone);

/** It is the oldest, and has to pass the other filters. */
function isOnPage(first: Message, filters: Params<"list">, list: List): boolean {
  const { order = "asc", next, offset = 0, limit: _, ...wanted } = filters;
  const isItsPage = order === "asc" ? next === undefined && offset === 0 : list.next === undefined;
  return isItsPage && Object.entries(wanted).every(([field, value]) => first[field as keyof Message] === value);
}

function withFirst(list: List, first: Message, order: Params<"list">["order"]): List {
  const messages = order === "desc" ? [...list.messages, first] : [first, ...list.messages];
  return { ...list, messages, count: messages.length };
}
