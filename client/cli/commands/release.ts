import { attempt, callAsHolder, outcomeFor } from "../claims/holder.ts";
import { command } from "../parsing/command.ts";
import { field, fields } from "../parsing/inputs.ts";

export const release = command({
  name: "release",
  summary: "Give a task back untried.",
  inputs: {
    id: field("release", "id", "<id>"),
    reason: field("release", "reason", "[reason]", " - reads it from stdin."),
    ...fields("release", "rest_ms"),
    attempt: attempt("release"),
  },
  examples: [
    ["release 0193f2c61c7e7d0a9b1f4e5a6b7c8d9e --as server_backend", "somebody else may take it"],
    ['release 0193f2c61c7e7d0a9b1f4e5a6b7c8d9e "the branch is locked" --rest 10m --as server_backend', "later"],
  ],
  async run(context, { reason, ...params }) {
    const said = { ...params, reason: await context.text(reason) };
    context.print.confirmation(await callAsHolder(context, "release", said), outcomeFor(context));
  },
});
