import { deadTable } from "../output/message.ts";
import { command } from "../parsing/command.ts";
import { fields } from "../parsing/inputs.ts";

export const dead = command({
  name: "dead",
  summary: "List dead letters: tasks that ran out of tries, the latest first.",
  inputs: fields("list", "to_claude", "from_claude", "limit", "next"),
  examples: [["dead --to server_backend", "then: coord retry ID"]],
  async run(context, filters) {
    const list = await context.call("list", { order: "desc", ...filters, failure: "attempts_exhausted" });
    context.print.result(list, ({ messages }, layout) =>
      messages.length === 0 ? "no dead letters" : deadTable(messages, layout),
    );
    if (list.messages.length === 0) context.print.aside("what failed otherwise: coord list --status failed");
    context.print.more(list);
  },
});
