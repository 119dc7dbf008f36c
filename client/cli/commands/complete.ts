import { attempt, callAsHolder, outcomeFor } from "../claims/holder.ts";
import { command } from "../parsing/command.ts";
import { field } from "../parsing/inputs.ts";

export const complete = command({
  name: "complete",
  summary: "Complete a task with its result, or acknowledge a chat.",
  inputs: {
    id: field("complete", "id", "<id>"),
    result: field("complete", "result", "[result]", " - reads it from stdin."),
    attempt: attempt("complete"),
  },
  examples: [
    ['complete 0193f2c61c7e7d0a9b1f4e5a6b7c8d9e "all green" --as server_backend', "a short result"],
    ["complete 0193f2c61c7e7d0a9b1f4e5a6b7c8d9e - --as server_backend < report.md", "what stdin says"],
  ],
  async run(context, { result, ...params }) {
    const message = await callAsHolder(context, "complete", { ...params, result: await context.text(result) });
    context.print.confirmation(message, outcomeFor(context));
  },
});
