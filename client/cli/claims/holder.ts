/**
 * What the holder of a task reports on it. A command of `coord work` reports as its worker, whose run the task belongs
 * to. It claims under its name alone, as everybody does in a shell: a claim of that run would last as long as the
 * worker.
 */
import type { Message, Params, Result } from "../../sdk/index.ts";
import { Rest } from "../connection/rest.ts";
import type { Context } from "../context.ts";
import { outcomeLine } from "../output/message.ts";
import type { Layout } from "../output/printer.ts";
import { field, type Input } from "../parsing/inputs.ts";

type Spoken = "progress" | "extend" | "complete" | "fail" | "release";

export const attempt = (operation: Spoken) =>
  field(operation, "attempt", undefined, " Of the task in COORDINATION_TASK_ID it is known.") as Input<
    number | undefined
  >;

/** @see Rest.call */
export function callAsHolder<N extends Spoken>(context: Context, operation: N, params: Params<N>): Promise<Result<N>> {
  const { outside, url, as, interrupted } = context;
  const rest = new Rest({ url, as, interrupted, run: outside.env.COORDINATION_RUN || undefined });
  return rest.call(operation, { ...ownAttempt(outside.env, params.id), ...params });
}

/** Which attempt at this task a command of `coord work` is. */
function ownAttempt({ COORDINATION_TASK_ID, COORDINATION_TASK_ATTEMPT }: Context["outside"]["env"], id: string) {
  const isOwn = id === COORDINATION_TASK_ID && COORDINATION_TASK_ATTEMPT;
  return isOwn ? { attempt: Number(COORDINATION_TASK_ATTEMPT) } : {};
}

/** What has become of it; and in whose name, where the caller gave none: the hub assumes the recipient. */
export const outcomeFor =
  ({ as }: Context) =>
  (message: Message, layout: Layout): string =>
    `${outcomeLine(message, layout)}${as === undefined ? `, in the name of ${message.claimed_by ?? message.to_claude}` : ""}`;
