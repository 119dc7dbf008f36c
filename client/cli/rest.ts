/** Operations over REST, one request each. What is claimed without a run is held by a name, not by this process. */
import { setTimeout as pause } from "node:timers/promises";
import { HubError, OPERATIONS, type OperationName, type Params, type Result, validate } from "../../shared/index.ts";
import { pauseAfter } from "../sdk/calls/pace.ts";
import { CallTimeout, HubUnreachable } from "../sdk/errors.ts";
import { callerHeaders } from "../sdk/rest/callerHeaders.ts";
import { RestClient } from "../sdk/rest/rest.ts";
import { UsageError } from "./process/errors.ts";

/** How long an answer may take; the operation's own `wait_ms` comes on top. */
const ANSWER_MS = 30_000;

export class Rest {
  readonly #url: string;
  readonly #client: RestClient;
  readonly #interrupted: AbortSignal;

  constructor(url: string, as: string | undefined, interrupted: AbortSignal, run?: string) {
    this.#url = url;
    this.#client = new RestClient(url, callerHeaders({ as, run }));
    this.#interrupted = interrupted;
  }

  /**
   * Waits and asks again where the hub asks for that.
   *
   * @throws UsageError when a parameter cannot be right; HubError what the hub refuses; HubUnreachable, CallTimeout;
   *   Interrupted.
   */
  async call<N extends OperationName>(operation: N, params: Params<N>): Promise<Result<N>> {
    check(operation, params);
    const withinMs = ANSWER_MS + ((params as { wait_ms?: number }).wait_ms ?? 0);
    const signal = AbortSignal.any([this.#interrupted, AbortSignal.timeout(withinMs)]);
    const deadline = performance.now() + withinMs;
    try {
      return (await this.#patiently(() => this.#client.call(operation, params, signal), deadline)) as Result<N>;
    } catch (error) {
      this.#interrupted.throwIfAborted();
      if (error instanceof HubError) throw error;
      throw signal.aborted ? new CallTimeout(operation, withinMs) : new HubUnreachable(this.#url, error);
    }
  }

  async #patiently<T>(call: () => Promise<T>, deadline: number): Promise<T> {
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

/** Refuses what the hub would refuse, before it is sent. */
export function check<N extends OperationName>(operation: N, params: Params<N>): void {
  try {
    validate(OPERATIONS[operation].params, params);
  } catch (error) {
    const { message, details } = error as HubError;
    throw new UsageError(message, details?.known ? undefined : (details?.field as string | undefined));
  }
}
