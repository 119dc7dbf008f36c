/** Operations over REST, one request each. What is claimed without a run is held by a name, not by this process. */
import { setTimeout as pause } from "node:timers/promises";
import { HubError, OPERATIONS, type OperationName, type Params, type Result, validate } from "../../../shared/index.ts";
import { pauseAfter } from "../../sdk/calls/pace.ts";
import { CallTimeout, HubUnreachable } from "../../sdk/errors.ts";
import { callerHeaders } from "../../sdk/rest/callerHeaders.ts";
import { overOwnConnection } from "../../sdk/rest/ownConnection.ts";
import { RestClient } from "../../sdk/rest/rest.ts";
import { withTimeout } from "../../sdk/withTimeout.ts";
import { UsageError } from "../process/errors.ts";

const ANSWER_MS = 30_000;

interface RestOptions {
  url: string;
  as?: string | undefined;
  run?: string | undefined;
  interrupted: AbortSignal;
  /** How long an answer may take; the operation's own `wait_ms` comes on top. */
  answerMs?: number;
}

export class Rest {
  readonly #url: string;
  readonly #client: RestClient;
  readonly #interrupted: AbortSignal;
  readonly #answerMs: number;

  constructor({ url, as, run, interrupted, answerMs = ANSWER_MS }: RestOptions) {
    this.#url = url;
    this.#client = new RestClient(url, callerHeaders({ as, run }), overOwnConnection);
    this.#interrupted = interrupted;
    this.#answerMs = answerMs;
  }

  /**
   * Waits and asks again where the hub asks for that.
   *
   * @throws UsageError when a parameter cannot be right; HubError what the hub refuses; HubUnreachable, CallTimeout;
   *   Interrupted.
   */
  async call<N extends OperationName>(operation: N, params: Params<N>): Promise<Result<N>> {
    check(operation, params);
    const withinMs = this.#answerMs + ((params as { wait_ms?: number }).wait_ms ?? 0);
    const ask = (signal: AbortSignal) => this.#patiently(() => this.#client.call(operation, params, signal), withinMs);
    try {
      return (await withTimeout(withinMs, this.#interrupted, ask, afterAlive)) as Result<N>;
    } catch (error) {
      this.#interrupted.throwIfAborted();
      if (error instanceof HubError) throw error;
      if (isTimeout(error)) throw new CallTimeout(this.#silence(operation, withinMs));
      throw new HubUnreachable(this.#url, error);
    }
  }

  /** What a person is told of a hub that does not answer. */
  #silence(operation: OperationName, withinMs: number): string {
    const isRead = OPERATIONS[operation].repeat === "read";
    const doubt = isRead ? "" : "; what was asked for may have been done: look before you repeat it";
    return `the hub at ${this.#url} did not answer within ${withinMs / 1000} s${doubt}`;
  }

  async #patiently<T>(call: () => Promise<T>, withinMs: number): Promise<T> {
    const deadline = performance.now() + withinMs;
    for (;;) {
      try {
        return await call();
      } catch (error) {
        const pauseMs = pauseAfter(error);
        if (pauseMs === undefined || performance.now() + pauseMs >= deadline) throw error;
        await pause(pauseMs, undefined, { signal: this.#interrupted });
      }
    }
  }
}

const isTimeout = (error: unknown) => (error as Error).name === "TimeoutError";

/** A timer that keeps the process alive, as long as a command waits for its answer. */
function afterAlive(delayMs: number, run: () => void): () => void {
  const timer = setTimeout(run, delayMs);
  return () => clearTimeout(timer);
}

/** Refuses what the hub would refuse, before it is sent. */
export function check<N extends OperationName>(operation: N, params: Params<N>): void {
  try {
    validate(OPERATIONS[operation].params, params);
  } catch (error) {
    const { message, details } = error as HubError;
    throw new UsageError(message, details?.known ? undefined : (details?.field as string | undefined));
  }
}
