import { command } from "../command.ts";
import { field } from "../inputs.ts";
import { messagePage } from "../output/message.ts";

export const claim = command({
  name: "claim",
  summary: "Take a task.",
  about: "The claim is held by the name, not by this process: complete it later, from anywhere, under the same name.",
  inputs: { id: field("claim", "id", "<id>") },
  examples: [["claim 0193f2c61c7e7d0a9b1f4e5a6b7c8d9e --as server_backend", "then do it, then `coord complete`"]],
  async run(context, { id }) {
    const task = await context.call("claim", { id });
    context.print.result(task, messagePage);
    context.print.aside(`when it is done: coord complete ${id} RESULT`);
  },
});
