import { command } from "../command.ts";
import { field, fields } from "../inputs.ts";
import { sendNow, spoken } from "../sending.ts";

export const chat = command({
  name: "chat",
  summary: "Send a chat: something to read, not to do.",
  about: "Prints its id, and on stderr what to expect of the recipient.",
  inputs: {
    to_claude: field("send", "to_claude", "<to>"),
    task: field("send", "task", "<text>", " - reads it from stdin."),
    ...fields("send", "context", "thread_id", "reply_to", "traceparent", "idempotency_key"),
  },
  examples: [
    ['chat server_backend "hello" --as windows_frontend', "to one"],
    ['chat "*" "the dashboard is up" --as windows_frontend', "to everyone"],
  ],
  async run(context, said) {
    await sendNow(context, await spoken(context, { ...said, type: "chat" }));
  },
});
