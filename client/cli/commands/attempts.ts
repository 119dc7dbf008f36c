import type { Result } from "../../../shared/index.ts";
import type { Layout } from "../output/printer.ts";
import { table } from "../output/table.ts";
import { ago } from "../output/time.ts";
import { command } from "../parsing/command.ts";
import { field } from "../parsing/inputs.ts";

export const attempts = command({
  name: "attempts",
  summary: "Show what became of each try of a task.",
  inputs: { id: field("attempts", "id", "<id>") },
  examples: [["attempts 0193f2c61c7e7d0a9b1f4e5a6b7c8d9e", "who tried it, when, and why it failed"]],
  async run(context, { id }) {
    const told = await context.call("attempts", { id });
    context.print.result(told, ({ attempts: tries }, layout) =>
      tries.length === 0
        ? "nobody has tried it"
        : table(
            TITLES,
            tries.map((one) => row(one, layout)),
            layout,
          ),
    );
    if (told.attempts.some(({ late }) => late)) context.print.aside(whereLate(id));
  },
});

/** Late outcomes are in the log only, which has to be read as a whole to find them. */
const whereLate = (id: string) =>
  `what came late is in the log: coord export --events | jq -c 'select(.kind == "late" and .message.id == "${id}")'`;

const TITLES = ["TRY", "BY", "BEGAN", "ENDED", "OUTCOME", "ERROR"];

type Try = Result<"attempts">["attempts"][number];

const row = ({ attempt, claimed_by, claimed_at, ended_at, outcome, error, late }: Try, { now }: Layout) => [
  `${attempt}`,
  claimed_by,
  ago(claimed_at, now),
  ended_at === undefined ? "" : ago(ended_at, now),
  late ? `${outcome}, then late` : outcome,
  error ?? "",
];
