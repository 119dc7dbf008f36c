import { command } from "../command.ts";
import { fields } from "../inputs.ts";
import { messageTable } from "../output/message.ts";

export const list = command({
  name: "list",
  summary: "List messages, oldest first.",
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
  ],
  async run(context, filters) {
    const list = await context.call("list", filters);
    context.print.result(list, ({ messages }, look) =>
      messages.length === 0 ? "no messages" : messageTable(messages, look, ["from", "to"]),
    );
    if (list.next !== undefined) context.print.aside(`there is more: --next ${list.next}`);
  },
});
