import type { Context } from "../context.ts";
import { deliver, type Said, spoken, waiting } from "../messages/sending.ts";
import { command } from "../parsing/command.ts";
import { field, fields, type Values } from "../parsing/inputs.ts";
import { param, paramsOf } from "../parsing/params.ts";
import { UsageError } from "../process/errors.ts";

const RUNGS = ["stored", "delivered", "seen", "claimed", "end"] as const;

export const send = command({
  name: "send",
  summary: "Send a task to an instance.",
  about: "Prints the id of the task, with --wait its result, and on stderr what to expect of the recipient.",
  inputs: {
    to_claude: field("send", "to_claude", "[to]"),
    task: field("send", "task", "[task]", " - reads it from stdin."),
    ...fields("send", "template"),
    param,
    ...fields("send", "context", "priority", "thread_id", "reply_to", "parent_id", "after", "not_before", "expires_at"),
    ...fields("send", "timeout_ms", "max_attempts", "backoff_ms", "traceparent", "idempotency_key"),
    ...waiting(
      RUNGS,
      "Wait until it has come so far; without a rung, for its end, and print its result. Of a macro: its last step.",
    ),
  },
  examples: [
    ['send server_backend "run the tests" --as windows_frontend', "and go on"],
    ['send server_backend "run the tests" --as windows_frontend --wait', "print the result when it comes"],
    ['send bob "run the tests" --as ada --wait claimed --wait-timeout 10m', "until somebody does it"],
    ["send bob - --as ada --priority high < task.md", "what stdin says"],
    ['send bob "deploy" --as ada --after 0193f2c61c7e7d0a9b1f4e5a6b7c8d9e', "once that task is complete"],
    ['send bob "run the tests" --as ada --json | jq -r .message.id', "with --json, message and recipient"],
    ["send --as ada --template scrape --param feed=rss", "what the template says"],
    ['send bob "write the report" --as ada --not-before 8h --max-attempts 5', "not before 8 hours from now"],
  ],
  async run(context, { wait, wait_timeout, param, ...said }) {
    await deliver(context, await spoken(context, await withParams(context, said, param)), { wait, wait_timeout });
  },
});

/** @throws UsageError when nothing says what is to be done by whom. */
async function withParams(
  context: Context,
  said: Said,
  pairs: Values<{ param: typeof param }>["param"],
): Promise<Said> {
  const { template } = said;
  if (template !== undefined && pairs) return { ...said, params: await paramsOf(context, template, pairs) };
  if (template !== undefined) return said;
  if (pairs) throw new UsageError("--param goes with --template: say which");
  const missing = said.to_claude === undefined ? "to" : said.task === undefined ? "task" : undefined;
  const taken = said.after && said.after.length > 1 ? ": --after takes all that follows, and goes last" : "";
  if (missing !== undefined) throw new UsageError(`missing required argument '${missing}'${taken}`);
  return said;
}
