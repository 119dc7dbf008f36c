/** Calls of programs without a connection: each is an HTTP request of its own. */
import { setTimeout as pause } from "node:timers/promises";
import { HubError, type OperationName, type Params, type Result } from "../../shared/index.ts";
import { pauseAfter } from "../sdk/calls/pace.ts";
import { HubRefused, isShuttingDown } from "../sdk/errors.ts";
import { callerHeaders } from "../sdk/rest/callerHeaders.ts";
import { overOwnConnection } from "../sdk/rest/ownConnection.ts";
import { RestClient } from "../sdk/rest/rest.ts";

/** Which hub, and as whom. */
export interface HubAccess {
  /** REST base of the hub, without a slash at its end. */
  url: string;
  as: string | undefined;
  token: string | undefined;
}

/** How long a call may take, so that its failure is known within 5 seconds on a busy machine, too. */
export const ANSWER_MS = 4_000;
const AGAIN_MS = 200;

/** No hub has answered. */
export class NotRunning extends Error {
  readonly retryable = true;
  /** Whether a hub may have received the request all the same, and done what it asks for. */
  readonly wasReached: boolean;

  constructor(cause: unknown) {
    super("Coordination API server not running", { cause });
    this.wasReached = (cause as NodeJS.ErrnoException).code !== "ECONNREFUSED";
  }
}

/**
 * Carries out an operation; asks again while no hub answers or the hub puts it off, until time is up. Repeating is
 * safe: what is not idempotent carries a key.
 *
 * @param unanswered is called when no hub has answered: what is asked for may have been done.
 * @throws HubError what the hub refused; Error `Coordination API server not running`; TypeError what cannot be written.
 */
export async function call<N extends OperationName>(
  access: HubAccess,
  operation: N,
  params: Params<N>,
  unanswered = (_: NotRunning) => {},
): Promise<Result<N>> {
  const deadline = performance.now() + ANSWER_MS;
  for (;;) {
    try {
      return await ask(access, operation, params, deadline - performance.now());
    } catch (error) {
      if (error instanceof NotRunning) unanswered(error);
      const mayPass = error instanceof NotRunning || isShuttingDown(error);
      const again = mayPass ? AGAIN_MS : (pauseAfter(error) ?? Number.POSITIVE_INFINITY);
      if (performance.now() + again >= deadline) throw error;
      await pause(again);
    }
  }
}

/** @throws as `call` does; asks once. */
export async function ask<N extends OperationName>(
  { url, as, token }: HubAccess,
  operation: N,
  params: Params<N>,
  withinMs = ANSWER_MS,
): Promise<Result<N>> {
  const client = new RestClient(url, callerHeaders({ as, token }), overOwnConnection);
  const signal = withinMs > 0 ? AbortSignal.timeout(Math.ceil(withinMs)) : AbortSignal.abort();
  const answer = client.call(operation, params, signal) as Promise<Result<N>>;
  return answer.catch((error) => {
    throw asTold(error);
  });
}

/** What the hub refused, as it is; everything else means that no hub answered. */
export const asTold = (error: unknown) =>
  error instanceof HubError || error instanceof HubRefused ? error : new NotRunning(error);
