import type { Params, Result } from "../../../shared/index.ts";
import { LIST_DEFAULT } from "../../../shared/index.ts";
import type { Context } from "../context.ts";
import { openDependencies } from "../messages/openDependencies.ts";
import { messageTable } from "../output/message.ts";
import { command } from "../parsing/command.ts";
import { fields } from "../parsing/inputs.ts";

type Filters = Pick<Params<"list">, "from_claude" | "type" | "thread_id" | "limit" | "next">;
type List = Result<"list">;

export const inbox = command({
  name: "inbox",
  summary: "See what waits for me, oldest first; then chats to everyone.",
  inputs: fields("list", "from_claude", "type", "thread_id", "limit", "next"),
  examples: [
    ["inbox --as server_backend", "all of it"],
    ["inbox --as server_backend --type chat --json", "chats, for a program"],
  ],
  async run(context, filters) {
    const list = await waiting(context, filters);
    const open = await openDependencies(context, list.messages);
    context.print.result(list, ({ messages }, layout) =>
      messages.length === 0 ? "nothing waits" : messageTable(messages, layout, ["from"], open),
    );
    context.print.more(list);
  },
});

/** What marks a place among the chats to everyone, which are listed by themselves; alone: their beginning. */
const EVERYONE = "everyone:";

async function waiting(context: Context, { next, limit = LIST_DEFAULT, ...filters }: Filters): Promise<List> {
  if (next?.startsWith(EVERYONE)) return toEveryone(context, { ...filters, limit, next: next.slice(EVERYONE.length) });
  const own = await pending(context, { ...filters, to_claude: context.me, limit, next });
  if (own.next !== undefined) return own;
  const room = limit - own.count;
  const more = await toEveryone(context, { ...filters, limit: Math.max(1, room) });
  if (room === 0) return more.count === 0 ? own : { ...own, next: EVERYONE };
  return { ...more, cursor: own.cursor, messages: [...own.messages, ...more.messages], count: own.count + more.count };
}

async function toEveryone(context: Context, filters: Filters): Promise<List> {
  const list = await pending(context, { ...filters, open_for: context.me });
  return list.next === undefined ? list : { ...list, next: `${EVERYONE}${list.next}` };
}

const pending = (context: Context, { next, ...params }: Params<"list">) =>
  context.call("list", { ...params, status: "pending", ...(next && { next }) });
