/** Operations over REST, one request each, without a run: what is claimed so is held by a name, not by this process. */
import { HubError, OPERATIONS, type OperationName, type Params, type Result, validate } from "../../shared/index.ts";
import { CallTimeout, HubUnreachable } from "../sdk/errors.ts";
import { RestClient } from "../sdk/rest.ts";
import { UsageError } from "./errors.ts";

/** How long an answer may take; the operation's own `wait_ms` comes on top. */
const ANSWER_MS = 30_000;

export class Rest {
  readonly #url: string;
  readonly #client: RestClient;
  readonly #interrupted: AbortSignal;

  constructor(url: string, as: string | undefined, interrupted: AbortSignal) {
    this.#url = url;
    this.#client = new RestClient(url, as === undefined ? {} : { "X-Claude-Id": as });
    this.#interrupted = interrupted;
  }

  /**
   * @throws UsageError when a parameter cannot be right; HubError what the hub refuses; HubUnreachable, CallTimeout;
   *   Interrupted.
   */
  async call<N extends OperationName>(operation: N, params: Params<N>): Promise<Result<N>> {
    check(operation, params);
    const withinMs = ANSWER_MS + ((params as { wait_ms?: number }).wait_ms ?? 0);
    const signal = AbortSignal.any([this.#interrupted, AbortSignal.timeout(withinMs)]);
    try {
      return (await this.#client.call(operation, params, signal)) as Result<N>;
    } catch (error) {
      this.#interrupted.throwIfAborted();
      if (error instanceof HubError) throw error;
      throw signal.aborted ? new CallTimeout(operation, withinMs) : new HubUnreachable(this.#url, error);
    }
  }
}

/** Refuses what the hub would refuse, before it travels. */
export function check<N extends OperationName>(operation: N, params: Params<N>): void {
  try {
    validate(OPERATIONS[operation].params, params);
  } catch (error) {
    const { message, details } = error as HubError;
    throw new UsageError(message, details?.field as string | undefined);
  }
}
