import { everybody } from "../../sdk/presence/presencePages.ts";
import { presenceTable } from "../output/presence.ts";
import { command } from "../parsing/command.ts";
import { field } from "../parsing/inputs.ts";

export const who = command({
  name: "who",
  summary: "See who is there.",
  inputs: { claude_id: field("presence", "claude_id", "[name]") },
  examples: [
    ["who", "everybody who was ever here"],
    ["who server_backend --json", "one, for a program"],
  ],
  async run(context, params) {
    const present = await everybody((page) => context.call("presence", page), params);
    context.print.result(present, ({ instances }, layout) =>
      instances.length === 0 ? "nobody was here yet" : presenceTable(instances, layout),
    );
  },
});
