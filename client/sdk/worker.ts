/**
 * Does tasks, a bounded number at a time. Each *slot* asks for a task, waiting at the hub for one to come, does it, and
 * asks again.
 */
import {
  fits,
  HubError,
  LIMITS,
  type Message,
  type OperationName,
  type Params,
  type Result,
} from "../../shared/index.ts";
import type { Claim, Claims } from "./claims.ts";
import { type Clock, sleep } from "./clock.ts";
import { HubClosed, isRetryable } from "./errors.ts";
import { newKey } from "./ids.ts";

/** What a task is done with. */
export interface TaskContext<Hub> {
  /** Aborted when the task is taken away: its claim ran out, or it was deleted, cancelled or ended by another. */
  readonly signal: AbortSignal;
  /** The fence: which attempt this is, from 1. */
  attempt: number;
  hub: Hub;
}

// biome-ignore lint/suspicious/noConfusingVoidType: a handler may end without a word
type Outcome = string | undefined | void;

/**
 * Does one task.
 *
 * @returns its result.
 * @throws an error to fail it, with the error's message; one whose `retryable` is true, to have it tried again while
 *   tries are left.
 */
export type TaskHandler<Hub> = (task: Message, context: TaskContext<Hub>) => Promise<Outcome> | Outcome;

export interface WorkOptions {
  /** How many tasks to do at once. 1 */
  concurrency?: number;
  /** Whose tasks to do: another instance's. The caller's own. */
  for?: string;
}

/** What a worker needs of its hub. */
export interface WorkPlace<Hub> {
  readonly hub: Hub;
  readonly clock: Clock;
  readonly claims: Claims;
  call<N extends OperationName>(operation: N, params: Params<N>): Promise<Result<N>>;
  /** Asks again on another line whatever is under way, so that changed parameters count. */
  askAgain(): void;
  report(error: unknown): void;
}

/** How long the hub may wait for a task to come. */
const WAIT_MS = 25_000;
const AGAIN_MS = 1_000;

/** @throws TypeError when nobody can work like that. */
export function assertWorkable(as: string | undefined, { concurrency = 1, for: whose = as }: WorkOptions): void {
  if (whose === undefined) throw new TypeError("work() needs a name: connect({ as: NAME })");
  if (Number.isInteger(concurrency) && concurrency >= 1) return;
  throw new TypeError(`concurrency must be a whole number from 1: ${concurrency}`);
}

export class Worker<Hub> {
  readonly #place: WorkPlace<Hub>;
  readonly #handler: TaskHandler<Hub>;
  readonly #for: { for_claude?: string };
  readonly #asking = new Set<Params<"claim_next">>();
  #closing = false;
  /** Settles when all is done after `close()`; rejects when the hub refuses to give tasks. */
  readonly done: Promise<void>;

  constructor(place: WorkPlace<Hub>, handler: TaskHandler<Hub>, options: WorkOptions) {
    this.#place = place;
    this.#handler = handler;
    this.#for = options.for === undefined ? {} : { for_claude: options.for };
    const slots = Array.from({ length: options.concurrency ?? 1 }, () => this.#slot());
    this.done = Promise.allSettled(slots).then(rethrow);
    this.done.catch(place.report);
  }

  /** Takes no more tasks, and gives back one that comes now. @returns when those under way are done. */
  close(): Promise<void> {
    if (!this.#closing) this.#stopAsking();
    return this.done.catch(() => {});
  }

  /**
   * A question that waits at the hub cannot be taken back; asked again with its key on another line it is answered at
   * once, with the task if it was already given one.
   */
  #stopAsking(): void {
    this.#closing = true;
    for (const params of this.#asking) params.wait_ms = 0;
    if (this.#asking.size > 0) this.#place.askAgain();
  }

  async #slot(): Promise<void> {
    let key = newKey();
    while (!this.#closing) {
      const task = await this.#next(key);
      if (!task) continue; // with the same key: an answer may have been lost on a line that broke
      key = newKey();
      await (this.#closing ? this.#giveBack(task) : this.#do(task));
    }
  }

  /** @returns the next task, or null when none came. */
  async #next(key: string): Promise<Message | null> {
    const params = { ...this.#for, wait_ms: WAIT_MS, claim_key: key };
    this.#asking.add(params);
    try {
      return await this.#insist("claim_next", params);
    } catch (error) {
      if (!(error instanceof HubClosed)) throw error;
      this.#closing = true;
      return null;
    } finally {
      this.#asking.delete(params);
    }
  }

  async #do(task: Message): Promise<void> {
    const claim = this.#place.claims.hold(task);
    try {
      const result = await this.#handle(task, claim);
      await this.#complete(task, result ?? undefined);
    } catch (error) {
      if (!claim.isLost) await this.#fail(task, error);
    }
  }

  /** The claim is watched for as long as the handler runs: what comes after is the worker's own doing. */
  async #handle(task: Message, claim: Claim): Promise<Outcome> {
    const { claims, hub } = this.#place;
    const context: TaskContext<Hub> = {
      hub,
      attempt: claim.attempt,
      get signal() {
        return claim.signal;
      },
    };
    try {
      return await this.#handler(task, context);
    } finally {
      claims.letGo(task);
    }
  }

  /** Said even when the claim is gone: until the next claim the hub accepts it, and after that keeps it as `late`. */
  async #complete({ id, attempt = 0 }: Message, result: string | undefined): Promise<void> {
    const params = { id, attempt, ...(result !== undefined && { result }) };
    await this.#insist("complete", params).catch((error) => {
      if (isUnfit(error)) throw error;
      this.#unsaid(error);
    });
  }

  async #fail({ id, attempt = 0 }: Message, error: unknown): Promise<void> {
    const params = { id, attempt, error: sentence(error), retryable: isRetryable(error) };
    await this.#insist("fail", params).catch((refusal) => this.#unsaid(refusal));
  }

  async #giveBack({ id, attempt = 0 }: Message): Promise<void> {
    await this.#insist("release", { id, attempt }).catch((error) => this.#unsaid(error));
  }

  /**
   * Asks until there is an answer. Giving up would leave a task claimed that nobody does; the key, or that the same
   * outcome said twice counts once, makes it safe.
   */
  async #insist<N extends OperationName>(operation: N, params: Params<N>): Promise<Result<N>> {
    for (;;) {
      try {
        return await this.#place.call(operation, params);
      } catch (error) {
        if (!isRetryable(error)) throw error;
        if (error instanceof HubError) await sleep(this.#place.clock, AGAIN_MS); // else the wait for a line is rest enough
      }
    }
  }

  /** The outcome did not reach the hub. That the task is not ours any more is no error. */
  #unsaid(error: unknown): void {
    if (!(error instanceof HubClosed || isGone(error))) this.#place.report(error);
  }
}

function rethrow(outcomes: PromiseSettledResult<void>[]): void {
  for (const outcome of outcomes) if (outcome.status === "rejected") throw outcome.reason;
}

const GONE = new Set(["lease_lost", "not_found", "wrong_status"]);
const isGone = (error: unknown) => error instanceof HubError && GONE.has(error.code);

/** The result itself is what the hub does not take. */
const isUnfit = (error: unknown) =>
  error instanceof HubError && (error.code === "too_large" || error.code === "invalid_params");

/** An error as the text of a failure. */
function sentence(error: unknown): string {
  const text = (error instanceof Error ? error.message || error.name : String(error)).toWellFormed();
  return fits(text, LIMITS.error_bytes) ? text : text.slice(0, Math.floor(LIMITS.error_bytes / 6)).toWellFormed();
}
