import { openDependencies } from "../messages/openDependencies.ts";
import { messagePage } from "../output/message.ts";
import { command } from "../parsing/command.ts";
import { field } from "../parsing/inputs.ts";

export const get = command({
  name: "get",
  summary: "Read one message.",
  inputs: { id: field("get", "id", "<id>") },
  examples: [["get 0193f2c61c7e7d0a9b1f4e5a6b7c8d9e", "all there is to know of it"]],
  async run(context, { id }) {
    const message = await context.call("get", { id });
    const open = await openDependencies(context, [message]);
    context.print.result(message, (told, layout) => messagePage(told, layout, open));
  },
});
