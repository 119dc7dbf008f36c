/** Work on tasks: claiming them, reporting on them, and ending them. */
import { LIST_DEFAULT } from "../../../shared/defaults.ts";
import { HubError, isRefusal } from "../../../shared/errors.ts";
import type { Status } from "../../../shared/message.ts";
import type { TASK_OPERATIONS } from "../../../shared/operations/tasks.ts";
import { missingField, noMessage } from "../../../shared/refusals.ts";
import { addressesOf } from "../../core/view.ts";
import type { Found } from "../../store/outcomes.ts";
import type { Answer } from "../answer.ts";
import { type Client, ownReader } from "../caller/client.ts";
import type { Hub } from "../hub.ts";
import { answerOf, type Change, type Checked, callerOf, type Handlers, submitChange } from "./handler.ts";

export const TASKS: Handlers<keyof typeof TASK_OPERATIONS> = {
  update: (hub, params, client) => end(hub, params.id, updateCommand(params), client),
  claim: (hub, { id, claim_key }, client) => submitChange(hub, id, { op: "claim", claim_key, tasksOnly: true }, client),
  claim_next: claimNext,
  complete: (hub, { id, result, attempt }, client) => end(hub, id, { op: "complete", result, attempt }, client),
  fail: (hub, { id, error, retryable, attempt }, client) =>
    end(hub, id, { op: "fail", error, retryable, attempt }, client),
  release: (hub, { id, ...said }, client) => end(hub, id, { op: "release", ...said }, client),
  extend: (hub, { id, lease_ms, attempt }, client) =>
    submitChange(hub, id, { op: "extend", lease_ms, attempt }, client),
  progress(hub, { id, percent, note, attempt }, client) {
    const reporter = `${attempt} ${client.claude_id} ${client.run}`;
    const caller = callerOf(hub, client);
    const command = { op: "progress", percent, note, attempt } as const;
    return hub.progress.report(id, reporter, () => hub.submit({ op: "change", id, caller, command })).then(answerOf);
  },
  cancel: (hub, { id, reason }, client) => end(hub, id, { op: "cancel", reason }, client),
  retry: (hub, { id }, client) => submitChange(hub, id, { op: "retry" }, client),
  retry_failed: retryFailed,
  async attempts(hub, { id }) {
    const attempts = await hub.store.attempts(id);
    if (attempts === null) throw noMessage(id);
    return { parts: { id: JSON.stringify(id), attempts } };
  },
};

/** Takes the next task; if there is none, waits for one. */
async function claimNext(hub: Hub, params: Checked<"claim_next">, client: Client): Promise<Answer> {
  const { wait_ms, claim_key } = params;
  const addresses = params.for_claude ?? ownReader(client);
  if (addresses === null) throw missingField("for_claude");
  const queues = addressesOf(addresses);
  const tryOnce = () => hub.submit({ op: "claim_next", caller: callerOf(hub, client), queues, claim_key });
  const found = ({ json }: Found) => json !== null;
  const key = claim_key === undefined ? undefined : `${client.claude_id} ${client.run} ${claim_key}`;
  const isLast = key === undefined ? () => true : hub.lastAsked.asks(key, client.socketNumber);
  if (!isLast) return NOTHING; // the caller has asked again on another socket, and listens there
  if (key !== undefined) hub.claimWaiters.giveUp(key);
  const { gone } = client;
  const claimant = { addresses, waitMs: wait_ms ?? 0, gone, tryOnce, found, key };
  const outcome = wait_ms ? await hub.claimWaiters.claim(claimant) : await tryOnce();
  const asksAgain = client.run !== null && key !== undefined;
  if (outcome && gone?.cancelled && !asksAgain) giveBack(hub, outcome, client, isLast);
  return outcome?.json ? { value: outcome.json } : NOTHING;
}

const NOTHING: Answer = { value: "null" };

/** A task claimed for a caller who has hung up goes back untried, unless that caller has asked again, and was given it. */
function giveBack(hub: Hub, { json }: Found, client: Client, isLast: () => boolean): void {
  if (json === null) return;
  const { id, attempt, claimed_by } = JSON.parse(json) as { id: string; attempt: number; claimed_by: string };
  const caller = callerOf(hub, { ...client, caller: undefined, claude_id: claimed_by });
  hub.submitOwn({ op: "change", id, command: { op: "release", attempt }, caller }, isLast);
}

/** Goes through what failed this way until enough is brought back: what waits for another that has failed cannot be. */
async function retryFailed(hub: Hub, params: Checked<"retry_failed">, client: Client): Promise<Answer> {
  const { failure = "attempts_exhausted", limit = LIST_DEFAULT, ...filter } = params;
  const wanted = { ...filter, failure, type: "task", status: "failed", offset: 0, order: "asc" } as const;
  const retried: string[] = [];
  let next: string | undefined;
  do {
    const room = limit - retried.length;
    const page = await hub.store.list({ ...wanted, limit: room, next }, hub.clock.now());
    retried.push(...(await retryEach(hub, page.messages, client)));
    next = page.next ?? undefined;
  } while (next !== undefined && retried.length < limit && !client.gone?.cancelled);
  return { value: JSON.stringify({ count: retried.length, ids: retried }) };
}

/** One by one: what somebody else has brought back meanwhile is left alone. @returns their ids. */
async function retryEach(hub: Hub, messages: readonly string[], client: Client): Promise<string[]> {
  const ids = messages.map((message) => (JSON.parse(message) as { id: string }).id);
  const tried = await Promise.allSettled(ids.map((id) => submitChange(hub, id, { op: "retry" }, client)));
  for (const one of tried) if (one.status === "rejected" && !isOvertaken(one.reason)) throw one.reason;
  return ids.filter((_, i) => tried[i]?.status === "fulfilled");
}

const isOvertaken = (error: unknown) => isRefusal(error, "wrong_status", "not_found");

/** Ends a try, after the last progress is written, whoever said it and with or without its attempt. */
function end(hub: Hub, id: string, command: Change, client: Client): Promise<Answer> {
  hub.progress.flush(id);
  return submitChange(hub, id, command, client);
}

/** The document's one way to move a message. */
function updateCommand({ status, result, error, attempt, claim_key }: Checked<"update">): Change {
  if (status !== "in_progress") assertUnsaid(status, { claim_key });
  switch (status) {
    case "in_progress":
      assertUnsaid(status, { attempt });
      return { op: "claim", result, error, claim_key };
    case "complete":
      return { op: "complete", result, error, attempt };
    case "failed":
      return { op: "fail", result, error, attempt };
    case "pending":
      assertUnsaid(status, { result, error });
      return { op: "release", attempt };
  }
}

/** @throws HubError rather than drop what was said. */
function assertUnsaid(status: Status, said: Partial<Checked<"update">>): void {
  for (const [field, value] of Object.entries(said)) {
    if (value !== undefined)
      throw new HubError("invalid_params", `${field} does not go with the status ${status}`, { field });
  }
}
