import { attempt, callAsHolder, outcomeFor } from "../claims/holder.ts";
import { command } from "../parsing/command.ts";
import { field, fields } from "../parsing/inputs.ts";

export const fail = command({
  name: "fail",
  summary: "Say that a task failed.",
  inputs: {
    id: field("fail", "id", "<id>"),
    error: field("fail", "error", "[error]", " - reads it from stdin."),
    ...fields("fail", "retryable"),
    attempt: attempt("fail"),
  },
  examples: [
    ['fail 0193f2c61c7e7d0a9b1f4e5a6b7c8d9e "no such branch" --as server_backend', "for good"],
    ['fail 0193f2c61c7e7d0a9b1f4e5a6b7c8d9e "rate limited" --retryable --as server_backend', "to be tried again"],
  ],
  async run(context, { error, ...params }) {
    const message = await callAsHolder(context, "fail", { ...params, error: await context.text(error) });
    context.print.confirmation(message, outcomeFor(context));
  },
});
