import type { Result } from "../../../shared/index.ts";
import type { Layout } from "../output/printer.ts";
import { table } from "../output/table.ts";
import { ago } from "../output/time.ts";
import { command } from "../parsing/command.ts";
import { field } from "../parsing/inputs.ts";

export const receipts = command({
  name: "receipts",
  summary: "Show how far a message has come with each of those it is for.",
  inputs: { id: field("receipts", "id", "<id>") },
  examples: [["receipts 0193f2c61c7e7d0a9b1f4e5a6b7c8d9e", "who has a chat to everyone, and who has read it"]],
  async run(context, { id }) {
    context.print.result(await context.call("receipts", { id }), ({ receipts: all }, layout) =>
      all.length === 0
        ? "nobody has it"
        : table(
            TITLES,
            all.map((one) => row(one, layout)),
            layout,
          ),
    );
  },
});

const TITLES = ["FOR", "DELIVERED", "SEEN", "ACKNOWLEDGED"];

type Receipt = Result<"receipts">["receipts"][number];

const row = ({ recipient, delivered_at, seen_at, acknowledged_at }: Receipt, { now }: Layout) => [
  recipient,
  ...[delivered_at, seen_at, acknowledged_at].map((at) => (at === undefined ? "-" : ago(at, now))),
];
