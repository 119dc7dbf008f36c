/**
 * Failures that happen on this side of the line. What the hub itself refuses is a `HubError`; both kinds have a
 * `code` for machines and tell by `retryable` whether the same call may succeed later.
 */
import { type Failure, isRefusal, LIMITS, type Message, OPERATIONS, type OperationName } from "../../shared/index.ts";
import { DEFAULT_URL } from "./options.ts";

abstract class LocalError extends Error {
  abstract readonly code: string;
  abstract readonly retryable: boolean;

  constructor(message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = new.target.name;
  }
}

/** Nobody answers at the hub's address. */
export class HubUnreachable extends LocalError {
  readonly code = "hub_unreachable";
  readonly retryable = true;
  readonly url: string;

  constructor(url: string, cause?: unknown) {
    super(`no hub answers at ${url}: ${adviceAt(url, cause)}`, cause);
    this.url = url;
  }
}

function adviceAt(address: string, cause: unknown): string {
  const url = new URL(URL.canParse(address) ? address : DEFAULT_URL);
  if (NO_HOST.test(`${cause} ${(cause as Error | undefined)?.cause}`)) {
    return `the host ${url.hostname} cannot be found: check its name`;
  }
  if (NO_HUB.test(`${cause}`)) return "this address does not lead to a hub, whose address ends in /api/coord";
  if (url.pathname === "/") return "its address ends in /api/coord";
  if (!LOCAL.test(url.hostname)) return "check the address, and whether a hub runs there";
  const port = url.port || (url.protocol === "https:" ? "443" : "80");
  return `start one with \`coord hub${port === new URL(DEFAULT_URL).port ? "" : ` --port ${port}`}\``;
}

/** What the system says, in itself or as the cause of a failed `fetch`. */
const NO_HOST = /ENOTFOUND|EAI_AGAIN/;

/** The names and addresses of this machine for itself, as `URL` writes them. */
const LOCAL = /^(localhost|127(\.\d+){3}|0\.0\.0\.0|\[::1?\])$/;

/** What is said where something else answers: over HTTP, and where a socket was asked for. */
const NO_HUB = /(\(HTTP status|server response:) (404|[23]\d\d)/;

/** The hub closed the line for good, with the close code that says why. */
export class HubRefused extends LocalError {
  readonly code = "hub_refused";
  readonly retryable = false;
  readonly close_code: number;

  constructor(closeCode: number, reason: string) {
    super(`the hub refused this client: ${reason || "no reason given"} (close code ${closeCode})`);
    this.close_code = closeCode;
  }
}

/** The line was lost while a call was under way, and lost again while it was repeated; or it is not safe to repeat unseen. */
export class ConnectionLost extends LocalError {
  readonly code = "connection_lost";
  readonly retryable: boolean;

  constructor(message: string, cause?: unknown, retryable = true) {
    super(message, cause);
    this.retryable = retryable;
  }

  static during(operation: OperationName): ConnectionLost {
    const isOnce = OPERATIONS[operation].repeat === "once";
    const [often, then] = isOnce ? ["", "look how things stand"] : [" twice", "repeat it with the same key"];
    const sentence = `the connection was lost${often} during ${operation}, which may have happened: ${then}`;
    return new ConnectionLost(sentence, undefined, !isOnce);
  }
}

/** A call was not answered in time, and may have happened; or a message has not come so far. */
export class CallTimeout extends LocalError {
  readonly code = "call_timeout";
  readonly retryable = true;

  /** No answer has come. */
  static unanswered(operation: OperationName, timeoutMs: number): CallTimeout {
    const isRead = OPERATIONS[operation].repeat === "read";
    const doubt = isRead ? "" : "; it may have happened: repeat it with the same key";
    return new CallTimeout(`${operation} was not answered within ${timeoutMs} ms${doubt}`);
  }

  /** What is waited for has not come. */
  static of(goal: string, timeoutMs: number): CallTimeout {
    const how = goal === "end" ? "has not ended" : `is not ${goal}`;
    return new CallTimeout(`the message ${how} within ${timeoutMs} ms; it may be so later: wait again`);
  }
}

/** The caller closed this hub. */
export class HubClosed extends LocalError {
  readonly code = "hub_closed";
  readonly retryable = false;

  constructor() {
    super("this connection to the hub is closed: connect() gives a new one");
  }
}

/** What became of a task that ended without a word why. */
const SENTENCES: Record<Failure, string> = {
  error: "the task failed",
  cancelled: "the task was cancelled",
  expired: "the task expired",
  timeout: "the task took too long",
  attempts_exhausted: "the task has no tries left",
  dependency: "a task that it waits for failed",
};

/** A task that was waited for will not be completed: it failed, was cancelled or was deleted. */
export class TaskFailed extends LocalError {
  readonly code = "task_failed";
  readonly retryable = false;
  /** The message as it was last. */
  readonly task: Message;

  constructor(task: Message, why = task.error ?? SENTENCES[task.failure ?? "error"]) {
    super(why);
    this.task = task;
  }
}

/** What took a task away from a worker, and what the sentence about it says. */
const LOSSES = {
  cancelled: "it was cancelled",
  timed_out: "its time is up",
  lease_lost: "its lease ran out",
  deleted: "it was deleted",
  ended: "it was ended or taken over by another",
  closing: "the worker is closing, and gives it back",
} as const;

export type Loss = keyof typeof LOSSES;

/** Why a worker's signal is aborted: the task is no longer this worker's, or is not to be done any further. */
export class ClaimLost extends LocalError {
  readonly code = "claim_lost";
  readonly retryable = false;
  /** For programs: `cancelled`, `timed_out`, `lease_lost`, `deleted`, `ended` or `closing`. */
  readonly why: Loss;

  constructor(id: string, why: Loss, words: string = LOSSES[why]) {
    super(`the claim on task ${id} is gone: ${words}`);
    this.why = why;
  }
}

/** How long a task rests that is given back without a word about it, ms. */
const REST_MS = 1_000;

/**
 * Thrown by a worker's handler: the task is given back, and no try is lost. It rests a moment, so that other tasks, and
 * other workers, come first; whoever throws this and is the only one that could do it is given it again.
 *
 * @example throw new GiveBack("the branch is locked", { rest_ms: 60_000 });
 */
export class GiveBack extends LocalError {
  readonly code = "given_back";
  readonly retryable = true;
  /** How long nobody is given the task, in milliseconds. */
  readonly rest_ms: number;

  /**
   * @param message why; `coord attempts` shows it.
   * @param options `rest_ms`: how long nobody is given the task, rounded up and kept within 0 and 366 days, so that the time
   *   until something happens may be said as it is counted. 1000, also for what is no number
   */
  constructor(message: string, { rest_ms = REST_MS, cause }: { rest_ms?: number; cause?: unknown } = {}) {
    super(message, cause);
    const whole = Math.ceil(rest_ms);
    this.rest_ms = Number.isNaN(whole) ? REST_MS : Math.min(LIMITS.duration_ms, Math.max(0, whole));
  }
}

/** Whether the hub refused it because the task is not the caller's any more. */
export const isGone = (error: unknown) => isRefusal(error, "lease_lost", "not_found", "wrong_status");

/** Whether the hub is about to close the line: the call may be made again on another one. */
export const isShuttingDown = (error: unknown) => isRefusal(error, "shutting_down");

/** Whether the same call may succeed later; of errors that do not tell, no. */
export const isRetryable = (error: unknown): boolean => (error as { retryable?: unknown } | null)?.retryable === true;
