import { listMessages } from "../messages/listMessages.ts";
import { openDependencies } from "../messages/openDependencies.ts";
import { messageTable } from "../output/message.ts";
import { command } from "../parsing/command.ts";
import { fields } from "../parsing/inputs.ts";

export const list = command({
  name: "list",
  summary: "List messages, oldest first.",
  about: "With --chain: the exchange that a message belongs to, which may be any of it, from its first message on.",
  inputs: fields(
    "list",
    "to_claude",
    "from_claude",
    "status",
    "type",
    "thread_id",
    "failure",
    "lease",
    "chain_id",
    "open_for",
    "order",
    "limit",
    "offset",
    "next",
  ),
  examples: [
    ["list --to server_backend --status in_progress", "what is being done"],
    ["list --status failed --order desc --limit 10", "the last failures"],
    ["list --chain 0193f2c61c7e7d0a9b1f4e5a6b7c8d9e", "what led to a message, and what came of it"],
  ],
  async run(context, filters) {
    const list = await listMessages(context, filters);
    const open = await openDependencies(context, list.messages);
    context.print.result(list, ({ messages }, layout) =>
      messages.length === 0 ? "no messages" : messageTable(messages, layout, ["from", "to"], open),
    );
    context.print.more(list);
  },
});
