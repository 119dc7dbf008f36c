import { awaitedBy } from "../awaited.ts";
import { command } from "../command.ts";
import { fields } from "../inputs.ts";
import { messageTable } from "../output/message.ts";

export const inbox = command({
  name: "inbox",
  summary: "See what waits for me, oldest first.",
  inputs: fields("list", "from_claude", "type", "thread_id", "limit", "next"),
  examples: [
    ["inbox --as server_backend", "all of it"],
    ["inbox --as server_backend --type chat --json", "chats, for a program"],
  ],
  async run(context, filters) {
    const list = await context.call("list", { ...filters, to_claude: context.me, status: "pending" });
    const awaited = await awaitedBy(context, list.messages);
    context.print.result(list, ({ messages }, look) =>
      messages.length === 0 ? "nothing waits" : messageTable(messages, look, ["from"], awaited),
    );
    if (list.next !== undefined) context.print.aside(`there is more: --next ${list.next}`);
  },
});
