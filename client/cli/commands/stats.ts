import { command } from "../parsing/command.ts";

export const stats = command({
  name: "stats",
  summary: "Count messages by status.",
  inputs: {},
  examples: [["stats", "how much waits, is being done, is done"]],
  async run(context) {
    context.print.result(await context.call("stats", {}), (counts, { paint }) => {
      const columns = Math.max(...Object.values(counts).map((count) => `${count}`.length));
      return Object.entries(counts)
        .map(([status, count]) => `${paint.dim(status.padEnd(12))}${`${count}`.padStart(columns)}`)
        .join("\n");
    });
  },
});
