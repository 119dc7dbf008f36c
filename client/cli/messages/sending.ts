/** What `send` and `chat` have in common. */
import { parseDuration } from "../../../shared/index.ts";
import type { Params, Result, Rung, Task } from "../../sdk/index.ts";
import { check } from "../connection/rest.ts";
import type { Context } from "../context.ts";
import { expectation } from "../output/presence.ts";
import { span } from "../output/time.ts";
import { choice, duration } from "../parsing/inputs.ts";
import { NothingCame } from "../process/errors.ts";

export type Said = Omit<Params<"send">, "from_claude">;

/** What the command line gave, as the operation takes it: with its sender, stdin read, times made absolute. */
export async function spoken(context: Context, said: Said): Promise<Params<"send">> {
  const from_claude = context.me;
  const times = await absolute(context, { not_before: said.not_before, expires_at: said.expires_at });
  const task = await context.text(said.task);
  return { from_claude, ...said, ...times, ...(task !== undefined && { task }) } as Params<"send">; // the table checks it
}

type Goal = "stored" | Rung | "end";

/** How long to wait for what becomes of it. */
export const waiting = <T extends Goal>(rungs: readonly (T | "end")[], help: string) => ({
  wait: choice("--wait [rung]", help, rungs, "end"),
  wait_timeout: duration("--wait-timeout <duration>", "Wait for it, but no longer than this."),
});

interface WaitOptions {
  readonly wait: Goal | undefined;
  readonly wait_timeout: number | undefined;
}

/** Sends, and waits as far as asked; for a macro, on its last step. */
export async function deliver(context: Context, params: Params<"send">, options: WaitOptions): Promise<void> {
  const { wait_timeout, wait = wait_timeout === undefined ? "stored" : "end" } = options;
  if (wait === "stored") await sendNow(context, params);
  else await sendAndWait(context, params, wait, wait_timeout);
}

/** Prints the id, all of them for a macro, and what to expect of the recipient. */
async function sendNow(context: Context, params: Params<"send">): Promise<void> {
  const sent = await context.call("send", params);
  context.print.result(sent, idLines);
  tellExpectation(context, sent);
}

/** Its id; for a macro those of all steps, a line each. */
const idLines = ({ message, messages = [message] }: Partial<Pick<Task, "messages">> & Pick<Task, "message">) =>
  messages.map(({ id }) => id).join("\n");

async function sendAndWait(
  context: Context,
  params: Params<"send">,
  goal: Rung | "end",
  withinMs: number | undefined,
): Promise<void> {
  check("send", params);
  await context.connected({}, async (hub) => {
    const task = await hub.send(params);
    context.print.aside(idLines(task));
    tellExpectation(context, task);
    const late = async () => {
      const known = await hub.get({ id: task.id }, { timeout_ms: LAST_LOOK_MS }).catch(() => task.message);
      return tooLate(known, goal, withinMs);
    };
    const come = goal === "end" ? task.result() : task.reached(goal);
    const message = await context.interruptible(come, { ms: withinMs, late });
    if (goal !== "end") context.print.aside(`${task.id} is ${goal}`);
    context.print.result(message, (told) => (goal === "end" ? endLine(told) : idLines(task)));
  });
}

/** How long to look up a message that has not come that far in time. */
const LAST_LOOK_MS = 1_000;

function tooLate(message: Task["message"], goal: Rung | "end", withinMs = 0): NothingCame {
  const { id } = message;
  const how = goal === "end" ? "has not ended" : `is not ${goal}`;
  return new NothingCame(`${id} ${how} within ${span(withinMs)}: see \`coord get ${id}\``, { id, message });
}

const endLine = ({ id, type, result }: Task["message"]) => result ?? (type === "chat" ? `${id} is acknowledged` : "");

type Sent = Pick<Result<"send">, "message" | "recipient" | "deduplicated">;

function tellExpectation({ print, outside }: Context, { message, recipient, deduplicated }: Sent): void {
  if (deduplicated) print.aside("sent before with this key: nothing new was sent");
  if (message.status === "failed") print.aside(`it has failed: ${message.error ?? message.failure}`);
  else print.aside(expectation(message.to_claude, recipient, outside.now()));
}

/** Durations, counted from the hub's now, as times; times as they are. */
async function absolute<K extends string>(context: Context, times: Record<K, string | undefined>) {
  const given = Object.entries<string | undefined>(times).filter(([, time]) => time !== undefined) as [K, string][];
  if (given.every(([, time]) => parseDuration(time) === undefined)) return Object.fromEntries(given);
  const now = Date.parse((await context.call("info", {})).time);
  const at = (time: string, ms = parseDuration(time)) => (ms === undefined ? time : new Date(now + ms).toISOString());
  return Object.fromEntries(given.map(([name, time]) => [name, at(time)]));
}
