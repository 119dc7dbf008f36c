import { eventPages, messagePages } from "../exporting/pages.ts";
import { runExport } from "../exporting/runExport.ts";
import { spanOf } from "../exporting/span.ts";
import { amount } from "../output/amount.ts";
import { command } from "../parsing/command.ts";
import { fields, flag, text } from "../parsing/inputs.ts";
import { UsageError } from "../process/errors.ts";

const MESSAGE_FILTERS = ["status", "type", "to_claude", "from_claude", "thread_id"] as const;

const when = (usage: string, help: string) => text(usage, `${help} (2026-01-31T12:00:00Z, or how long ago: 7d).`);

export const exportMessages = command({
  name: "export",
  summary: "Write messages, or the log, as lines of JSON.",
  about:
    "Reads page by page while everything goes on: a message is as it was when its page was read. A chat to everyone is written with its receipts.",
  inputs: {
    ...fields("list", ...MESSAGE_FILTERS),
    since: when("--since <when>", "Only what was sent, or in the log what happened, then or later"),
    until: when("--until <when>", "Only what was sent, or in the log what happened, before"),
    events: flag("--events", "Everything that the log tells, instead of messages."),
    out: text("--out <file>", "The file to write, which must not exist yet; - or left out, stdout."),
    next: text("--next <mark>", "Where an export that was cut short goes on."),
  },
  examples: [
    ["export --out messages.jsonl", "every message, as it is now"],
    ["export --status complete --until 30d | gzip > old.jsonl.gz", "what a hub that keeps 30 days is about to forget"],
    ["export --events --out log.jsonl", "everything that happened"],
  ],
  async run(context, { since, until, events = false, out: to, next, ...filter }) {
    const out = to === "-" ? undefined : to;
    if (events && Object.keys(filter).length > 0) {
      throw new UsageError("--events writes the log of all messages: leave out what chooses among them");
    }
    const info = await context.call("info", {});
    const isWanted = spanOf({ since, until }, Date.parse(info.time));
    const pages = events ? eventPages(context, info.cursor, next) : messagePages(context, filter, next);
    const what = events ? "events" : "messages";
    const count = await runExport(context, { pages, isWanted, out, what });
    if (out === undefined) context.print.aside(amount(count, what));
    else context.print.result({ file: out, count }, ({ file }) => `${file} holds ${amount(count, what)}`);
  },
});
