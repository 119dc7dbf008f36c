import { deliver, spoken, waiting } from "../messages/sending.ts";
import { command } from "../parsing/command.ts";
import { fields, sentField } from "../parsing/inputs.ts";

const RUNGS = ["stored", "delivered", "seen", "end"] as const;

export const chat = command({
  name: "chat",
  summary: "Send a chat: something to read, not to do.",
  about: "Prints its id, and on stderr what to expect of the recipient.",
  inputs: {
    to_claude: sentField("to_claude", "<to>"),
    task: sentField("task", "<text>", " - reads it from stdin."),
    ...fields("send", "context", "thread_id", "reply_to", "traceparent", "idempotency_key"),
    ...waiting(RUNGS, "Wait until it has come so far; without a rung, until it is acknowledged."),
  },
  examples: [
    ['chat server_backend "hello" --as windows_frontend', "to one"],
    ['chat "*" "the dashboard is up" --as windows_frontend', "to everyone"],
    ['chat bob "look at this" --as ada --wait seen --wait-timeout 10m', "until bob's model has it in context"],
  ],
  async run(context, { wait, wait_timeout, ...said }) {
    await deliver(context, await spoken(context, { ...said, type: "chat" }), { wait, wait_timeout });
  },
});
