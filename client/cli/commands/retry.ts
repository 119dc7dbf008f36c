import { outcomeLine } from "../output/message.ts";
import { command } from "../parsing/command.ts";
import { field, fields } from "../parsing/inputs.ts";

export const retry = command({
  name: "retry",
  summary: "Give a failed task, or all that failed for a reason, their tries again.",
  about: "Without an id: the dead letters (tasks that ran out of tries), or what the options choose.",
  inputs: {
    id: field("retry", "id", "[id]"),
    ...fields("retry_failed", "failure", "to_claude", "from_claude", "limit"),
  },
  examples: [
    ["retry 0193f2c61c7e7d0a9b1f4e5a6b7c8d9e", "this one"],
    ["retry --to server_backend", "all dead letters of one instance"],
  ],
  async run(context, { id, ...filter }) {
    if (id !== undefined) context.print.confirmation(await context.call("retry", { id }), outcomeLine);
    else context.print.confirmation(await context.call("retry_failed", filter), ({ ids }) => said(ids));
  },
});

function said(ids: readonly string[]): string {
  if (ids.length === 0) return "nothing to retry";
  return ids.length === 1 ? `${ids[0]} is pending again` : `${ids.join("\n")}\nare pending again`;
}
