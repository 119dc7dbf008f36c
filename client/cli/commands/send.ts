import type { Params } from "../../sdk/index.ts";
import { command } from "../command.ts";
import type { Context } from "../context.ts";
import { NothingCame } from "../errors.ts";
import { duration, field, fields, flag } from "../inputs.ts";
import { expectation } from "../output/presence.ts";
import { say } from "../say.ts";

const FROM_NOW = " Or a duration from now: 10m.";

export const send = command({
  name: "send",
  summary: "Send a task to an instance.",
  about: "Prints the id of the task, and on stderr what to expect of the recipient.",
  inputs: {
    to_claude: field("send", "to_claude", "<to>"),
    task: field("send", "task", "<task>", " - reads it from stdin."),
    ...fields("send", "context", "priority", "thread_id", "reply_to", "parent_id"),
    not_before: field("send", "not_before", "--not-before <time>", FROM_NOW),
    expires_at: field("send", "expires_at", "--expires-at <time>", FROM_NOW),
    ...fields("send", "timeout_ms", "max_attempts", "backoff_ms", "traceparent", "idempotency_key"),
    wait: flag("--wait", "Wait for the task's end and print its result."),
    wait_timeout: duration("--wait-timeout <duration>", "Wait for it, but at most so long."),
  },
  examples: [
    ['send server_backend "run the tests" --as windows_frontend', "and go on"],
    ['send server_backend "run the tests" --as windows_frontend --wait', "print the result"],
    ["send bob - --as ada --priority high < task.md", "the task is what stdin says"],
    ['send bob "nightly report" --as ada --not-before 8h --max-attempts 5', "not before 8 hours from now"],
  ],
  async run(context, { wait = false, wait_timeout, ...said }) {
    const params = await spoken(context, said);
    if (wait || wait_timeout !== undefined) return await sendAndWait(context, params, wait_timeout);
    await say(context, params);
  },
});
