import { command } from "../parsing/command.ts";
import { field } from "../parsing/inputs.ts";

export const seen = command({
  name: "seen",
  summary: "Say that you have read a message.",
  inputs: { id: field("seen", "id", "<id>") },
  examples: [["seen 0193f2c61c7e7d0a9b1f4e5a6b7c8d9e --as server_backend", "its sender is told"]],
  async run(context, params) {
    const { me } = context; // the hub takes it only from the recipient
    context.print.confirmation(await context.call("seen", params), ({ id }) => `${id} is seen by ${me}`);
  },
});
