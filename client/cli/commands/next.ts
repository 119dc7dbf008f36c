import { randomUUID } from "node:crypto";
import { LIMITS } from "../../../shared/index.ts";
import { isRetryable } from "../../sdk/errors.ts";
import type { Message, Params } from "../../sdk/index.ts";
import { showClaim } from "../claims/showClaim.ts";
import { Rest } from "../connection/rest.ts";
import type { Context } from "../context.ts";
import { command } from "../parsing/command.ts";
import { duration, field } from "../parsing/inputs.ts";
import { NothingCame } from "../process/errors.ts";

const AGAIN_MS = 500;
/** How long an interrupted command checks whether it was given a task at that moment. */
const LAST_LOOK_MS = 5_000;

export const next = command({
  name: "next",
  summary: "Take the next task that waits for me.",
  about: "Ends with code 4 when there is none. The claim is held by the name, as with `coord claim`.",
  inputs: {
    for_claude: field("claim_next", "for_claude"),
    wait_ms: duration("--wait <duration>", "Wait this long for one to come; the name counts as online meanwhile."),
  },
  examples: [
    ["next --as server_backend", "if there is one"],
    ["next --as server_backend --wait 10m", "as soon as there is one"],
  ],
  async run(context, { wait_ms = 0, for_claude = context.me }) {
    const question = { for_claude, claim_key: randomUUID() };
    const task = await nextTask(context, question, wait_ms).catch(async (error) => {
      if (context.interrupted.aborted) await giveBack(context, question);
      throw error;
    });
    if (task === null) throw new NothingCame(`no task waits for ${for_claude}${await ofTheRole(context, for_claude)}`);
    showClaim(context, task);
  },
});

/** Asks again and again, each time for as long as the hub lets one wait, and over restarts of the hub. */
async function nextTask(context: Context, params: Params<"claim_next">, withinMs: number): Promise<Message | null> {
  const end = performance.now() + withinMs;
  for (;;) {
    const left = Math.max(0, Math.ceil(end - performance.now()));
    try {
      const task = await context.call("claim_next", { ...params, wait_ms: Math.min(left, LIMITS.wait_ms) });
      if (task !== null || left === 0) return task;
    } catch (error) {
      if (left === 0 || !isRetryable(error)) throw error;
      await context.pause(AGAIN_MS);
    }
  }
}

/** The interrupted `claim_next` may have been given a task: asking again with its key gives the same one. */
async function giveBack({ url, as }: Context, question: Params<"claim_next">): Promise<void> {
  const rest = new Rest({ url, as, interrupted: AbortSignal.timeout(LAST_LOOK_MS) });
  try {
    const task = await rest.call("claim_next", { ...question, wait_ms: 0 });
    if (task !== null) await rest.call("release", { id: task.id, attempt: task.attempt });
  } catch {
    // Its lease will run out.
  }
}

/** A hint when tasks wait for the role of that name, which is written with an @. */
async function ofTheRole(context: Context, name: string): Promise<string> {
  if (name.startsWith("@")) return "";
  const waiting = await context.call("list", { to_claude: `@${name}`, status: "pending", type: "task", limit: 1 });
  return waiting.count === 0 ? "" : `, but for the role: --for @${name}`;
}
