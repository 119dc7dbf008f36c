import { showReport } from "../demo/report.ts";
import { command } from "../parsing/command.ts";
import { integer, text } from "../parsing/inputs.ts";
import { UsageError } from "../process/errors.ts";

const AGENTS = { least: 2, most: 16 } as const;
const FILES = { least: 1, most: 1_000 } as const;

export const demo = command({
  name: "demo",
  summary: "See agents index the files of a folder, and one of them killed in the middle.",
  isLocal: true,
  about: "Starts a hub of its own, a coordinator and workers, a process each, and cleans up after itself.",
  inputs: {
    folder: text(
      "[folder]",
      "Whose files; left out, the current one. Links, names with a leading dot, node_modules, dist, data and coverage are passed over.",
    ),
    agents: integer("--agents <n>", "How many workers (3)."),
    files: integer("--files <n>", "How many files at most (60)."),
  },
  examples: [
    ["demo", "on the files here"],
    ["demo ~/notes --agents 5", "on others, by five workers"],
  ],
  async run(context, { folder = ".", agents = 3, files: most = 60 }) {
    assertWithin(agents, "--agents", AGENTS);
    assertWithin(most, "--files", FILES);
    const { runDemo } = await import("../demo/run.ts");
    context.print.result(await runDemo(context, { folder, agents, most }), showReport);
  },
});

function assertWithin(value: number, option: string, { least, most }: { least: number; most: number }): void {
  if (value < least || value > most) throw new UsageError(`${option} must be from ${least} to ${most}`);
}
