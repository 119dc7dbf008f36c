/** Calls of programs without a connection: each is an HTTP request of its own. */
import { setTimeout as pause } from "node:timers/promises";
import { HubError, type OperationName, type Params, type Result } from "../shared/index.ts";
import { settle } from "./sdk/options.ts";
import { RestClient } from "./sdk/rest.ts";

/** Which hub, and as whom. */
export interface Caller {
  url: string;
  name: string | undefined;
  token: string | undefined;
}

/** How long a call may take, so that its failure is known within 5 seconds on a busy machine, too. */
export const ANSWER_MS = 4_000;
const AGAIN_MS = 200;

/**
 * Carries out an operation; asks again while no hub answers, until time is up. Repeating is safe: what is not the
 * same when done twice carries a key.
 *
 * @throws HubError what the hub refused; Error `Coordination API server not running`.
 */
export async function call<N extends OperationName>(
  caller: Caller,
  operation: N,
  params: Params<N>,
): Promise<Result<N>> {
  const deadline = performance.now() + ANSWER_MS;
  for (;;) {
    try {
      return await ask(caller, operation, params, deadline - performance.now());
    } catch (error) {
      const mayPass = !(error instanceof HubError) || error.code === "shutting_down";
      if (!mayPass || performance.now() + AGAIN_MS >= deadline) throw error;
      await pause(AGAIN_MS);
    }
  }
}

/**
 * Asks once. The connection is closed with the answer: one that is kept may be dead without anybody having noticed,
 * when a program comes back to it after minutes of work.
 *
 * @throws as `call` does.
 */
export async function ask<N extends OperationName>(
  { url, name, token }: Caller,
  operation: N,
  params: Params<N>,
  withinMs = ANSWER_MS,
): Promise<Result<N>> {
  const headers = {
    Connection: "close",
    ...(name !== undefined && { "X-Claude-Id": name }),
    ...(token !== undefined && { Authorization: `Bearer ${token}` }),
  };
  try {
    const rest = new RestClient(settle({ url }).url, headers);
    return (await rest.call(operation, params, AbortSignal.timeout(Math.ceil(withinMs)))) as Result<N>;
  } catch (error) {
    throw asTold(error);
  }
}

/** What the hub refused, as it is; everything else means that none answered. */
export const asTold = (error: unknown) =>
  error instanceof HubError ? error : new Error("Coordination API server not running", { cause: error });
