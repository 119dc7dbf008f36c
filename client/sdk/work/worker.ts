/**
 * Does tasks, a bounded number at a time. Each *slot* asks for a task, waiting at the hub for one to come, does it, and
 * asks again.
 *
 * Where the hub hears calls in order, a slot reports how a task ended and asks for the next in one frame, so that one
 * commit does both. It begins the next only once the hub has taken the end of the last.
 */
import {
  ANYTHING,
  assertOptions,
  BOOLEAN,
  COUNT,
  type Message,
  MILLISECONDS,
  type OptionRules,
  type Params,
} from "../../../shared/index.ts";
import { newKey } from "../calls/ids.ts";
import { insist } from "../calls/insist.ts";
import { ChurnSet } from "../churn.ts";
import { HOLD_MS } from "../clock.ts";
import { HubClosed } from "../errors.ts";
import { Attempt, type TaskHandler, type WorkPlace } from "./attempt.ts";
import { followClaims } from "./followClaims.ts";
import { Patience } from "./patience.ts";

export interface WorkOptions {
  /** How many tasks to do at once. 1 */
  concurrency?: number;
  /** Whose tasks to do: another instance's. The caller's own. */
  for?: string;
  /** How long a closing worker waits for what is under way, in milliseconds, before it aborts. As long as it takes. */
  drain_ms?: number;
  /**
   * How long a handler may take to end after a closing worker aborted it, in milliseconds; then its task is given back
   * although the handler may still run. 10000
   */
  abort_ms?: number;
}

export interface CloseOptions {
  /** Instead of the worker's own `drain_ms`. */
  drain_ms?: number;
  /** Abort at once what is under way. false */
  force?: boolean;
}

const ABORT_MS = 10_000;

/** How long a closing worker waits for a hub that can be reached but takes nothing, as with a full disk, in milliseconds. */
const UNWILLING_MS = 5_000;

const WORK_RULES: OptionRules<WorkOptions> = {
  concurrency: COUNT,
  for: ANYTHING, // the hub tells what is wrong with it
  drain_ms: MILLISECONDS,
  abort_ms: MILLISECONDS,
};

const CLOSE_RULES: OptionRules<CloseOptions> = { drain_ms: MILLISECONDS, force: BOOLEAN };

/** @throws TypeError for invalid options, and for a hub without a name. */
export function assertWorkable(as: string | undefined, options: WorkOptions): void {
  assertOptions(options, WORK_RULES);
  if (as === undefined) throw new TypeError("work() needs a name: connect({ as: NAME })");
}

export class Worker<Hub> {
  readonly #place: WorkPlace<Hub>;
  readonly #handler: TaskHandler<Hub>;
  readonly #options: WorkOptions;
  readonly #asking = new ChurnSet<Params<"claim_next">>();
  readonly #attempts = new ChurnSet<Attempt<Hub>>();
  readonly #timers = new Set<() => void>();
  readonly #forTasks = new Patience();
  readonly #toTell = new Patience();
  #closing = false;
  #aborting = false;
  /** Settles when all is done after `close()`; rejects when the hub refuses to give tasks. */
  readonly done: Promise<void>;
  /** Resolves when nothing is under way any more, however it came to that. */
  readonly ended: Promise<void>;

  constructor(place: WorkPlace<Hub>, handler: TaskHandler<Hub>, options: WorkOptions) {
    this.#place = place;
    this.#handler = handler;
    this.#options = options;
    const slots = Array.from({ length: options.concurrency ?? 1 }, () => this.#slot());
    const outcomes = Promise.allSettled(slots);
    this.ended = outcomes.then(() => {
      for (const cancel of this.#timers) cancel();
    });
    this.done = outcomes.then((all) => this.#judge(all));
    if (options.for === undefined || options.for === place.as) return;
    followClaims(place, options.for, this.ended).catch(() => {}); // the slots fail the same way
  }

  /** How many tasks are under way. */
  get busy(): number {
    return this.#attempts.size;
  }

  /**
   * Takes no more tasks, and gives back one that comes now. What is under way is finished; what is not when `drain_ms`
   * are over is aborted and given back. May be called again, to be less patient. A hub that is out of reach for 5
   * seconds, or takes nothing for so long although it answers, is not waited for, except to report what was finished
   * before anything was aborted; a task that it gives or takes away later still goes back.
   *
   * @returns when nothing is under way any more.
   * @throws TypeError for an unknown option or one of the wrong type; undefined counts as omitted.
   * @example await worker.close({ drain_ms: 5_000 });
   */
  close(options: CloseOptions = {}): Promise<void> {
    assertOptions(options, CLOSE_RULES);
    const { drain_ms = this.#options.drain_ms, force = false } = options;
    if (!this.#closing) this.#stopAsking();
    if (force) this.#abort();
    else if (drain_ms !== undefined) this.#after(drain_ms, () => this.#abort());
    return this.ended;
  }

  /**
   * A question that waits at the hub cannot be taken back; asked again with its key on another line it is answered at
   * once, with the task if it was already given one.
   */
  #stopAsking(): void {
    this.#closing = true;
    for (const params of this.#asking) params.wait_ms = 0;
    if (this.#asking.size > 0) this.#place.askAgain();
    this.#waitAtMost(UNWILLING_MS, () => this.#forTasks.end());
  }

  #abort(): void {
    if (this.#aborting) return;
    this.#aborting = true;
    for (const attempt of this.#attempts) attempt.abort();
    const { abort_ms = ABORT_MS } = this.#options;
    this.#after(abort_ms, () => {
      for (const attempt of this.#attempts) attempt.abandon();
    });
    this.#waitAtMost(abort_ms + UNWILLING_MS, () => this.#toTell.end());
  }

  /** Gives up when the hub is out of reach, or after so long. */
  #waitAtMost(delayMs: number, giveUp: () => void): void {
    this.#after(delayMs, giveUp);
    void this.#place.whileReachable(this.ended).then(giveUp);
  }

  #after(delayMs: number, run: () => void): void {
    this.#timers.add(this.#place.clock.after(delayMs, run));
  }

  /** @throws what the hub refused; whoever has `error` handlers need not wait for it. */
  #judge(slots: readonly PromiseSettledResult<void>[]): void {
    const refused = slots.find(({ status }) => status === "rejected") as PromiseRejectedResult | undefined;
    if (!refused) return;
    if (this.#place.tell(refused.reason)) this.done.catch(() => {});
    throw refused.reason;
  }

  async #slot(): Promise<void> {
    let key = newKey();
    let last: Attempt<Hub> | undefined;
    try {
      while (!this.#closing) {
        const task = await this.#next(key);
        if (!task) continue; // with the same key: an answer may have been lost on a line that broke
        key = newKey();
        const attempt = new Attempt(this.#place, task);
        await last?.told;
        if (this.#closing) return await this.#toTell.lasts(attempt.giveBack(), undefined);
        await this.#do(attempt);
        last = attempt;
      }
    } finally {
      await last?.told;
    }
  }

  /** @returns the next task, or null when none came. */
  async #next(key: string): Promise<Message | null> {
    const { for: whose } = this.#options;
    const params = { for_claude: whose, wait_ms: HOLD_MS, claim_key: key };
    const answered = this.#asking.add(params);
    const answer = insist(this.#place, "claim_next", params);
    try {
      const task = await this.#forTasks.lasts(answer, undefined);
      if (task === undefined) this.#giveBackLate(answer);
      return task ?? null;
    } catch (error) {
      if (!(error instanceof HubClosed)) throw error;
      this.#closing = true;
      return null;
    } finally {
      answered();
    }
  }

  /**
   * Nobody waits for the answer any more; only asking until it comes shows whether the hub gave a task to the question.
   */
  #giveBackLate(answer: Promise<Message | null>): void {
    answer.then((task) => task && new Attempt(this.#place, task).giveBack()).catch(() => {});
  }

  /** @returns when to ask for the next: once the handler has ended; where calls may overtake each other, once the hub knows. */
  async #do(attempt: Attempt<Hub>): Promise<void> {
    void attempt.told.then(this.#attempts.add(attempt));
    await attempt.run(this.#handler, this.#toTell);
    if (!this.#place.keepsOrder()) await attempt.told;
  }
}
