import { attempt, callAsHolder } from "../claims/holder.ts";
import { outcomeLine } from "../output/message.ts";
import { command } from "../parsing/command.ts";
import { field, fields } from "../parsing/inputs.ts";

export const progress = command({
  name: "progress",
  summary: "Say how far a task is.",
  inputs: {
    id: field("progress", "id", "<id>"),
    note: field("progress", "note", "[note]", " - reads it from stdin."),
    ...fields("progress", "percent"),
    attempt: attempt("progress"),
  },
  examples: [
    ['progress 0193f2c61c7e7d0a9b1f4e5a6b7c8d9e "3 of 6 feeds" --percent 50 --as server_backend', "its sender is told"],
  ],
  async run(context, { note, ...params }) {
    const message = await callAsHolder(context, "progress", { ...params, note: await context.text(note) });
    context.print.confirmation(message, outcomeLine);
  },
});
