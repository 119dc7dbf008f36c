import { command } from "../command.ts";
import { integer, text } from "../inputs.ts";

export const demo = command({
  name: "demo",
  summary: "See a hub and four agents at work on a folder, and one of them killed.",
  inputs: {
    folder: text("[folder]", "Whose files are indexed (the current one)."),
    agents: integer("--agents <n>", "How many workers (3)."),
  },
  examples: [["demo", "on the files here"]],
  async run() {
    return 0;
  },
});
