import type { Message } from "../../sdk/index.ts";
import { arrivals } from "../messages/arrivals.ts";
import { messagePage } from "../output/message.ts";
import { span } from "../output/time.ts";
import { command } from "../parsing/command.ts";
import { duration, fields, flag } from "../parsing/inputs.ts";
import { NothingCame } from "../process/errors.ts";

export const wait = command({
  name: "wait",
  summary: "End when a message for me comes, and print it.",
  about:
    "One that waits already counts. It stays pending: claim a task, complete a chat. Ends with code 4 when none came.",
  inputs: {
    timeout: duration("--timeout <duration>", "Wait no longer than this."),
    new: flag("--new", "Only one that comes from now on."),
    ...fields("list", "from_claude", "type", "thread_id"),
  },
  examples: [
    ["wait --as server_backend", "whatever comes"],
    ["wait --as ada --thread release-7 --from bob --timeout 10m --json", "an answer of bob's, for a program"],
  ],
  async run(context, { timeout, new: onlyNew = false, ...filter }) {
    const late = () => new NothingCame(`nothing came within ${span(timeout ?? 0)}`);
    const options = { of: context.me, waiting: !onlyNew };
    await context.connected({}, async (hub) => {
      const first = firstOf(arrivals(hub, options), filter);
      const message = await context.interruptible(first, { ms: timeout, late });
      context.print.result(message, messagePage);
      await hub.received({ ids: [message.id] }).catch(() => {}); // like an acknowledgement that is lost
    });
  },
});

/** The first message that fits; those passed over do not count as received. */
async function firstOf(
  messages: AsyncGenerator<Message, never>,
  filter: Readonly<Partial<Record<keyof Message, unknown>>>,
): Promise<Message> {
  const wanted = Object.entries(filter) as [keyof Message, unknown][];
  for (;;) {
    const { value: message } = await messages.next();
    if (wanted.every(([field, value]) => message[field] === value)) return message;
  }
}
