/** One attempt at a task, from its claim to the call that ends it. */
import { extended, isRefusal, LIMITS, type Message, type Params } from "../../../shared/index.ts";
import { bounded } from "../boundedText.ts";
import { type Caller, insist } from "../calls/insist.ts";
import { LONGEST_TIMER_MS } from "../clock.ts";
import { GiveBack, HubClosed, isGone, isRetryable, type Loss } from "../errors.ts";
import type { Claim, Claims } from "./claims.ts";
import type { Patience } from "./patience.ts";
import { type Progress, ProgressReports } from "./progressReports.ts";

/** What a task is done with. Its functions may be taken out of it. */
export interface TaskContext<Hub> {
  /**
   * Aborted when the task is no longer to be done, with a ClaimLost as its `reason`, whose `why` tells: `cancelled`,
   * `timed_out`, `lease_lost`, `deleted`, `ended` by another, or `closing` when the worker does not wait any longer.
   * A line that is down aborts nothing: the hub may be back before the lease is over. A handler that does not heed it
   * keeps its place among the worker's tasks until it ends.
   */
  readonly signal: AbortSignal;
  /** The fence: which attempt this is, from 1. */
  readonly attempt: number;
  /** When `timeout_ms` is over, in milliseconds of the connection's clock: `performance.now()`. */
  readonly deadline: number | undefined;
  readonly hub: Hub;
  /**
   * Tells how far it is. Say it as often as you like: the newest wins, a few are sent a second, and the last one
   * arrives before the end of the task. Never throws; percentages are kept within 0 and 100.
   */
  readonly progress: (percent?: number, note?: string) => void;
  /**
   * Keeps the lease for `lease_ms` from now, also when this run's connection goes; left out, for as long as the hub
   * gives without a connection. `timeout_ms` is not moved.
   *
   * @throws HubError `lease_lost` or `wrong_status` when the task is not ours any more.
   */
  readonly extend: (lease_ms?: number) => Promise<void>;
  /**
   * Resolves after the handler has ended, when the hub has taken the outcome; with why it counts for nothing, when it
   * does: as `signal` tells, or `closing` when the hub was closed or given up before it could be told. Never rejects.
   */
  readonly told: Promise<Loss | undefined>;
}

// biome-ignore lint/suspicious/noConfusingVoidType: a handler may end without a word
type Outcome = string | undefined | void;

/**
 * Does one task.
 *
 * @returns its result.
 * @throws an error to fail it, with the error's message; one whose `retryable` is true, to have it tried again while
 *   tries are left; a GiveBack, to give it back untried.
 */
export type TaskHandler<Hub> = (task: Message, context: TaskContext<Hub>) => Promise<Outcome> | Outcome;

/** What a worker needs of its hub. */
export interface WorkPlace<Hub> extends Caller {
  readonly hub: Hub;
  /** The name of this instance. */
  readonly as: string | undefined;
  readonly claims: Claims;
  /** Whether the hub hears calls in the order in which they are made. */
  keepsOrder(): boolean;
  /** Asks again on another line whatever is under way, so that changed parameters count. */
  askAgain(): void;
  /** Waits no longer than the hub can be reached. */
  whileReachable(wait: Promise<unknown>): Promise<void>;
  report(error: unknown): void;
  /** Tells the `error` handlers, or nobody. @returns whether there are any. */
  tell(error: unknown): boolean;
}

/** What a handler threw, as the hub is told of it: read once, because anything may be thrown. */
interface Failure {
  readonly error: string;
  readonly retryable: boolean;
  /** It gives the task back untried, to rest this long, ms. */
  readonly rest_ms?: number;
}

type Ended = { readonly result: unknown } | Failure;

export class Attempt<Hub> {
  readonly #place: WorkPlace<Hub>;
  readonly #task: Message;
  readonly #claim: Claim;
  #progress: ProgressReports | undefined;
  /** Whether the handler has ended: what is to be told stands from then on. */
  #isOver = false;
  #onAbandoned: ((ended: Ended) => void) | undefined;
  #onTold!: (loss: Promise<Loss | undefined>) => void;
  /** As the handler's context has it. */
  readonly told = new Promise<Loss | undefined>((resolve) => {
    this.#onTold = resolve;
  });

  /** Begins the claim's watch. */
  constructor(place: WorkPlace<Hub>, task: Message) {
    this.#place = place;
    this.#task = task;
    this.#claim = place.claims.hold(task);
  }

  /** @param patience how long to wait for the hub. @returns when the handler has ended; `told` is when the hub knows. */
  async run(handler: TaskHandler<Hub>, patience: Patience): Promise<void> {
    const ended = await this.#handle(handler);
    this.#onTold(patience.lasts(this.#tellHub(ended), "closing"));
  }

  /** The worker does not wait any longer for the handler. */
  abort(): void {
    if (!this.#isOver) this.#claim.lose("closing");
  }

  /** Whatever the handler still does no longer counts. */
  abandon(): void {
    this.#onAbandoned?.(failureOf(this.#claim.lost));
  }

  /** Gives the task back untried. */
  async giveBack(): Promise<void> {
    this.#place.claims.letGo(this.#claim);
    await this.#end("release", {});
  }

  async #tellHub(ended: Ended): Promise<Loss | undefined> {
    const told = this.#progress?.end();
    if (told && !this.#place.keepsOrder()) await told;
    return await this.#say(ended);
  }

  /** The claim is watched for as long as the handler runs: what comes after is the worker's own doing. */
  async #handle(handler: TaskHandler<Hub>): Promise<Ended> {
    const abandoned = new Promise<Ended>((resolve) => {
      this.#onAbandoned = resolve;
    });
    const stopTimer = this.#armTimeout();
    try {
      if (this.#claim.lost) return failureOf(this.#claim.lost); // what took it away has overtaken it
      return await Promise.race([handled(handler, this.#task, this.#context()), abandoned]);
    } finally {
      this.#isOver = true;
      stopTimer();
      this.#place.claims.letGo(this.#claim);
    }
  }

  /** The hub's own event for it may come late, or not at all while the line is down. */
  #armTimeout(): () => void {
    const { deadline } = this.#claim;
    if (deadline === undefined) return () => {};
    const leftMs = deadline - this.#place.clock.now();
    if (leftMs > LONGEST_TIMER_MS) return () => {};
    return this.#place.clock.after(leftMs, () => this.#claim.lose("timed_out"));
  }

  #context(): TaskContext<Hub> {
    const claim = this.#claim;
    return {
      hub: this.#place.hub,
      attempt: claim.attempt,
      deadline: claim.deadline,
      told: this.told,
      progress: (percent, note) => {
        if (!this.#isOver) this.#reports().say(progressOf(percent, note));
      },
      extend: async (lease_ms) => {
        await this.#place.call("extend", { ...this.#fence, lease_ms });
      },
      get signal() {
        return claim.signal;
      },
    };
  }

  #reports(): ProgressReports {
    this.#progress ??= new ProgressReports(this.#place.clock, (progress) => this.#tell(progress));
    return this.#progress;
  }

  async #tell(progress: Progress): Promise<void> {
    if (this.#claim.lost) return;
    await this.#place.call("progress", { ...this.#fence, ...progress }).catch(() => {}); // the next one, or the end, tells
  }

  /**
   * A result is sent even when the claim is gone: until the next claim the hub accepts it, and after that keeps it as
   * `late`. An error would then interest nobody.
   *
   * @returns why it counts for nothing, when it does.
   */
  async #say(ended: Ended): Promise<Loss | undefined> {
    if ("result" in ended) return await this.#complete(ended.result ?? undefined);
    const { lost } = this.#claim;
    if (lost?.why === "closing") return await this.#end("release", {});
    if (lost) return lost.why;
    const { rest_ms } = ended;
    if (rest_ms === undefined) return await this.#fail(ended);
    return await this.#end("release", { reason: ended.error, rest_ms });
  }

  async #complete(result: unknown): Promise<Loss | undefined> {
    if (result !== undefined && typeof result !== "string") return await this.#fail(failureOf(NO_TEXT));
    try {
      await insist(this.#place, "complete", extended(this.#fence, result === undefined ? {} : { result }));
    } catch (error) {
      return isUnfit(error) ? await this.#fail(failureOf(error)) : this.#unsaid(error);
    }
  }

  #fail({ error, retryable }: Failure): Promise<Loss | undefined> {
    return this.#end("fail", { error, retryable });
  }

  async #end<N extends "fail" | "release">(
    operation: N,
    said: Omit<Params<N>, "id" | "attempt">,
  ): Promise<Loss | undefined> {
    try {
      await insist(this.#place, operation, { ...said, ...this.#fence } as Params<N>);
    } catch (error) {
      return isUnfit(error) ? await this.#giveBackBare(error) : this.#unsaid(error);
    }
  }

  /** What the hub does not take of how it ended must not keep it here: the hub would think that we are at it. */
  async #giveBackBare(error: unknown): Promise<Loss | undefined> {
    this.#place.report(error);
    try {
      await insist(this.#place, "release", this.#fence);
    } catch (gone) {
      return this.#unsaid(gone);
    }
  }

  get #fence() {
    return { id: this.#claim.id, attempt: this.#claim.attempt };
  }

  /** The outcome does not count at the hub. Losing the task is no error. @returns why. */
  #unsaid(error: unknown): Loss {
    if (error instanceof HubClosed) return "closing";
    if (!isGone(error)) this.#place.report(error);
    const { lost } = this.#claim;
    if (lost && lost.why !== "closing") return lost.why;
    if (isRefusal(error, "lease_lost")) return "lease_lost";
    return isRefusal(error, "not_found") ? "deleted" : "ended";
  }
}

async function handled<Hub>(handler: TaskHandler<Hub>, task: Message, context: TaskContext<Hub>): Promise<Ended> {
  try {
    return { result: await handler(task, context) };
  } catch (error) {
    return failureOf(error);
  }
}

const failureOf = (error: unknown): Failure => ({
  error: textOf(error),
  retryable: tells(() => isRetryable(error)),
  ...(tells(() => error instanceof GiveBack) && { rest_ms: (error as GiveBack).rest_ms }),
});

/** Asks something about what was thrown; false where asking itself throws. */
function tells(ask: () => boolean): boolean {
  try {
    return ask();
  } catch {
    return false;
  }
}

function textOf(value: unknown): string {
  try {
    return bounded(String(value instanceof Error ? value.message || value.name : value), LIMITS.error_bytes);
  } catch {
    return "it has no text";
  }
}

function progressOf(percent: number | undefined, note: string | undefined): Progress {
  return {
    ...(Number.isFinite(percent) && { percent: Math.min(100, Math.max(0, percent as number)) }),
    ...(note !== undefined && { note: textOf(note) }),
  };
}

/** It is what was said itself that the hub does not take. */
const isUnfit = (error: unknown) => isRefusal(error, "too_large", "invalid_params");

const NO_TEXT = new TypeError("result must be a string: JSON.stringify anything else");
