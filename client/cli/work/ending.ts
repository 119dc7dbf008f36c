/** How an attempt ended, as `coord work` prints it: a line each. */
import type { Loss, Message } from "../../sdk/index.ts";
import type { Layout } from "../output/printer.ts";
import { span } from "../output/time.ts";
import { CommandFailed } from "./taskCommand.ts";

interface Ending {
  readonly id: string;
  readonly attempt: number;
  readonly from_claude: string;
  readonly outcome: "complete" | "failed" | "given_back" | "lost";
  readonly took_ms: number;
  readonly exit_code?: number;
  readonly signal?: string;
  /** Of a failure: whether it may be tried again. */
  readonly retryable?: boolean;
  /** Of one that may: how many tries are left. */
  readonly tries_left?: number;
  readonly error?: string;
  /** Of a lost claim: `cancelled`, `timed_out`, `lease_lost`, `deleted` or `ended`. */
  readonly why?: string;
}

interface Ended {
  /** What ended it; undefined when it is complete. */
  readonly error: unknown;
  /** Why that counts for nothing, when it does. */
  readonly loss: Loss | undefined;
}

export function endingOf(task: Message, tookMs: number, { error, loss }: Ended): Ending {
  const { id, attempt = 0, from_claude } = task;
  const known = { id, attempt, from_claude, took_ms: Math.round(tookMs) };
  if (loss === "closing") return { ...known, outcome: "given_back" };
  if (loss !== undefined) return { ...known, outcome: "lost", why: loss };
  if (error === undefined) return { ...known, outcome: "complete", exit_code: 0 };
  if (error instanceof CommandFailed) return { ...known, outcome: "failed", ...failure(error, task.tries_left) };
  return { ...known, outcome: "given_back" };
}

function failure({ exit, retryable, message }: CommandFailed, tries_left: number | undefined) {
  const { code, signal } = exit;
  const how = { ...(code !== null && { exit_code: code }), ...(signal !== null && { signal }) };
  return { ...how, retryable, ...(retryable && tries_left !== undefined && { tries_left }), error: message };
}

export function endingLine(ending: Ending, { paint }: Layout): string {
  const { id, outcome, took_ms, exit_code, signal, retryable, why } = ending;
  const after = paint.dim(`after ${span(took_ms)}`);
  if (outcome === "complete") return `${id} ${paint.green("complete")} ${after}`;
  if (outcome === "given_back") return `${id} ${paint.yellow("given back")} ${after}`;
  if (outcome === "lost") return `${id} ${paint.yellow(why ?? "lost")} ${after}`;
  const how = signal === undefined ? `exit code ${exit_code}` : `killed by ${signal}`;
  return `${id} ${paint.red("failed")} ${after}: ${how}${retryable ? whatNext(ending) : ""}`;
}

const whatNext = ({ tries_left }: Ending) => (tries_left === 0 ? ", and this was the last try" : ", to be tried again");
