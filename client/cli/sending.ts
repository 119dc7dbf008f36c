/** What `send` and `chat` have in common. */
import type { Params, Result } from "../sdk/index.ts";
import type { Context } from "./context.ts";
import { expectation } from "./output/presence.ts";
import { parseDuration } from "./output/time.ts";

export type Said = Omit<Params<"send">, "from_claude">;

/** What was said on the command line as the operation takes it: with its sender, stdin read, times made absolute. */
export async function spoken(context: Context, said: Said): Promise<Params<"send">> {
  const from_claude = context.me;
  const times = await absolute(context, { not_before: said.not_before, expires_at: said.expires_at });
  const task = await context.text(said.task);
  return { from_claude, ...said, ...times, ...(task !== undefined && { task }) } as Params<"send">; // the table checks it
}

/** Sends, and tells the id, of a macro all of them, and what to expect of the recipient. */
export async function sendNow(context: Context, params: Params<"send">): Promise<void> {
  const sent = await context.call("send", params);
  context.print.result(sent, ({ message, messages = [message] }) => messages.map(({ id }) => id).join("\n"));
  tellExpectation(context, sent);
}

type Sent = Pick<Result<"send">, "message" | "recipient" | "deduplicated">;

export function tellExpectation({ print, outside }: Context, { message, recipient, deduplicated }: Sent): void {
  if (deduplicated) print.aside("sent before with this key: nothing new was sent");
  print.aside(expectation(message.to_claude, recipient, outside.now()));
}

/** Durations from now, which is the hub's now, as times; times as they are. */
async function absolute<K extends string>(context: Context, times: Record<K, string | undefined>) {
  const given = Object.entries<string | undefined>(times).filter(([, time]) => time !== undefined) as [K, string][];
  if (given.every(([, time]) => parseDuration(time) === undefined)) return Object.fromEntries(given);
  const now = Date.parse((await context.call("info", {})).time);
  const at = (time: string, ms = parseDuration(time)) => (ms === undefined ? time : new Date(now + ms).toISOString());
  return Object.fromEntries(given.map(([name, time]) => [name, at(time)]));
}
