import { attempt, callAsHolder, outcomeFor } from "../holder.ts";
import { command } from "../parsing/command.ts";
import { field } from "../parsing/inputs.ts";

export const release = command({
  name: "release",
  summary: "Give a task back untried.",
  inputs: { id: field("release", "id", "<id>"), attempt: attempt("release") },
  examples: [["release 0193f2c61c7e7d0a9b1f4e5a6b7c8d9e --as server_backend", "somebody else may take it"]],
  async run(context, params) {
    context.print.confirmation(await callAsHolder(context, "release", params), outcomeFor(context));
  },
});
