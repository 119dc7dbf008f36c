import { outcomeLine } from "../output/message.ts";
import { command } from "../parsing/command.ts";
import { field } from "../parsing/inputs.ts";

export const cancel = command({
  name: "cancel",
  summary: "End a task at once; its holder is told and stops.",
  inputs: {
    id: field("cancel", "id", "<id>"),
    reason: field("cancel", "reason", "[reason]", " - reads it from stdin."),
  },
  examples: [['cancel 0193f2c61c7e7d0a9b1f4e5a6b7c8d9e "the feeds are gone"', "whoever holds it"]],
  async run(context, { reason, ...params }) {
    const message = await context.call("cancel", { ...params, reason: await context.text(reason) });
    context.print.confirmation(message, outcomeLine);
  },
});
