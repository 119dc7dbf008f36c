/**
 * The functions of the original coordination API, unchanged, over the hub; and `subscribe`, which replaces polling.
 *
 * The environment is read at each call: `COORDINATION_API_URL` (`http://localhost:3000/api/coord`), `CLAUDE_ID` (the
 * name of this instance) and `COORDINATION_TOKEN`.
 *
 * A function fails with the hub's own sentence (a `HubError`), at once with a `TypeError` when what it was given cannot
 * be sent, or within 5 seconds with `Coordination API server not running`. Until then it asks again by itself, so a
 * restart of the hub goes unnoticed. What failed because no answer came may have been done all the same; called again
 * within a minute, `sendTask` and `claimTask` repeat it, and it is done once.
 *
 * A claim belongs to a name, not to this process. It ends 30 minutes after it was made, or after the last heartbeat of
 * that name; then the task goes back. What this process claimed itself, it completes under that claim's number, so that
 * it can neither complete nor fail what was given to somebody else meanwhile.
 *
 * What the hub cannot tell apart, it cannot protect from each other:
 * - Processes with the same `CLAUDE_ID` are one holder, and so are all those without one, which act for the recipient:
 *   any of them may complete or fail what another holds, unless it tried to claim that itself.
 * - The heartbeats of one keep the claims of all, even of one that has crashed.
 * - A task that takes more than 30 minutes without heartbeats is given to somebody else, and done twice.
 *
 * `connect` of `coordination-hub` has none of these limits: there, a claim belongs to the run.
 */
import {
  isRefusal,
  LIMITS,
  type Message,
  type MessageType,
  type OperationName,
  type Params,
  type Result,
  type Status,
} from "../../shared/index.ts";
import { pages } from "../sdk/calls/pages.ts";
import type { HubEvent } from "../sdk/events/events.ts";
import { complete, fail } from "./completion.ts";
import { environment, ownName, warn } from "./environment.ts";
import { Heartbeat } from "./heartbeat.ts";
import { OwnClaims } from "./ownClaims.ts";
import { Repeats } from "./repeats.ts";
import { ask, type NotRunning, call as restCall } from "./restCalls.ts";
import { subscribeAs } from "./subscription.ts";

/** A chat or a task, as the hub has it. */
export type CoordinationMessage = Message;

/** What happened to a message: its `kind`, and the fields of the message that this event carries. */
export type CoordinationEvent = HubEvent;

const claims = new OwnClaims();
const repeats = new Repeats(() => performance.now());
const heartbeat = new Heartbeat();

/**
 * Sends a task, or a chat, to another instance.
 *
 * @param task what is to be done, or said; at most 64 KiB.
 * @param context what helps with it; at most 1 MiB.
 * @param to the recipient: a name, `*` for everybody, or `@` and a role. `server_backend`
 * @param from the sender. `CLAUDE_ID`
 * @param type `task` is claimed and completed; `chat` is only read. `task`
 * @returns the message when it is stored; its `id` is what to ask for later.
 * @throws HubError `invalid_params` or `too_large` for what cannot be sent, `recipient_full` or `sender_full` where too
 *   much waits; Error without `from` and `CLAUDE_ID`, or when no hub answers.
 * @example const { id } = await sendTask("Scrape ETF data", "SPY and QQQ");
 */
export async function sendTask(
  task: string,
  context?: string,
  to = "server_backend",
  from = ownName(),
  type: MessageType = "task",
): Promise<CoordinationMessage> {
  const said = { from_claude: from, to_claude: to, task, context, type };
  const { message } = await once(said, (idempotency_key) => call("send", { ...said, idempotency_key }));
  return message;
}

/**
 * Reads every pending message for an instance, chats too, oldest first. Those for everybody wait under `*`. A task that
 * cannot be claimed yet, because it waits for a time or another task, comes once it can.
 *
 * @param forClaude whose. `CLAUDE_ID`
 * @throws HubError `invalid_params` when that is no name; Error without it and `CLAUDE_ID`, or when no hub answers.
 * @example for (const task of await getPendingTasks("server_backend")) console.log(task.task);
 */
export async function getPendingTasks(forClaude = ownName()): Promise<CoordinationMessage[]> {
  return listAll({ to_claude: forClaude, status: "pending", ready: true });
}

/**
 * Reads all messages, of all instances, oldest first.
 *
 * @param status `pending`, `in_progress`, `complete` or `failed`: only those in it. All
 * @throws HubError `invalid_params` when it is none of them; Error when no hub answers.
 * @example const completed = await getAllMessages("complete");
 */
export async function getAllMessages(status?: Status): Promise<CoordinationMessage[]> {
  return listAll({ status });
}

/**
 * Reads one message.
 *
 * @param messageId its `id`.
 * @throws Error `Message not found`, also when it was deleted.
 * @example const { status, result, error } = await getMessage(task.id);
 */
export async function getMessage(messageId: string): Promise<CoordinationMessage> {
  return call("get", { id: messageId });
}

/**
 * Takes a task, so that nobody else does it; marks a chat as being read.
 *
 * @param messageId its `id`.
 * @throws Error when somebody has taken it already, this process included.
 * @example await claimTask(task.id); // now execute it
 */
export async function claimTask(messageId: string): Promise<CoordinationMessage> {
  try {
    const claimed = await claim(messageId);
    claims.won(claimed);
    return claimed;
  } catch (error) {
    claims.refused(messageId, isRefusal(error, "wrong_status", "not_ready"));
    throw error;
  }
}

/**
 * Says how a task ended, or acknowledges a chat.
 *
 * Reporting a task `failed` that this process could not claim, or has lost, changes nothing and returns the message as
 * it is: whoever holds it goes on. Reporting a task `complete` that another holds, and that this process could not
 * claim, fails. The same report made twice counts once.
 *
 * @param messageId its `id`.
 * @param result what came of it; of a failed one, what went wrong: it becomes the message's `error`. A text too long
 *   for that is `result`, and its beginning `error`. Any text can be given as an error: half a character becomes
 *   U+FFFD, and what is too long even for a result is cut at the end.
 * @throws Error when the task is complete already, or somebody else's.
 * @example await completeTask(task.id, "API rate limited", "failed");
 */
export async function completeTask(
  messageId: string,
  result?: string,
  status: "complete" | "failed" = "complete",
): Promise<CoordinationMessage> {
  if (status === "failed") return fail(claims, call, messageId, result);
  return complete(claims, call, { id: messageId, status, result });
}

/**
 * Deletes a message, whatever its status.
 *
 * @param messageId its `id`.
 * @returns false when there was no such message.
 * @throws Error when no hub answers, or it cannot write.
 * @example const deleted = await deleteMessage(task.id);
 */
export async function deleteMessage(messageId: string): Promise<boolean> {
  let mayBeDone = false;
  const unanswered = (error: NotRunning) => {
    mayBeDone ||= error.wasReached;
  };
  try {
    await restCall(environment(), "delete", { id: messageId }, unanswered);
    return true;
  } catch (error) {
    if (isRefusal(error, "not_found")) return mayBeDone;
    throw error;
  }
}

/**
 * Says now, and again every `interval` milliseconds, that an instance is alive. Keeps the process alive until
 * `stopHeartbeat`. There is one heartbeat in a process: another call replaces it. A beat that no hub answers is
 * ignored; the first that is refused gives a warning of the process.
 *
 * @param claudeId who is alive. `CLAUDE_ID`
 * @param interval in milliseconds. 30000
 * @throws RangeError when no timer can wait for `interval`; Error without `claudeId` and `CLAUDE_ID`.
 * @example startHeartbeat("server_backend", 30000);
 */
export function startHeartbeat(claudeId = ownName(), interval = 30_000): void {
  const beat = async () => ask(environment(), "heartbeat", { claude_id: claudeId, interval_ms: interval });
  heartbeat.start(beat, interval, ({ message }) => {
    warn(`the heartbeat of ${claudeId} was refused: ${message}`);
  });
}

/**
 * Ends the heartbeat; without one, does nothing.
 *
 * @example stopHeartbeat(); // the process may end
 */
export function stopHeartbeat(): void {
  heartbeat.stop();
}

/**
 * Asks once whether the hub can be reached and used.
 *
 * @returns false instead of failing.
 * @example if (!(await testCoordinationAPI())) throw new Error("Coordination API not responding");
 */
export async function testCoordinationAPI(): Promise<boolean> {
  try {
    await ask(environment(), "stats", {});
    return true;
  } catch {
    return false;
  }
}

/**
 * Hands over every event of the messages from and to an instance, instead of polling for them: first, as `new`, the
 * messages that wait, then everything live, over any number of reconnects. The instance is online meanwhile, and the
 * process stays alive.
 *
 * @param handler is given one event after another; one that returns a promise is given the next when that resolves.
 *   When it fails, that is a warning of the process, and the next event is handed over. When the hub sends this client
 *   away for good, the subscription ends and the error is one that nobody caught.
 * @param forClaude whose messages. `CLAUDE_ID`
 * @returns what ends it.
 * @throws HubError or HubRefused when the hub refuses this client; Error without `forClaude` and `CLAUDE_ID`, or when no
 *   hub answers.
 * @example
 * const unsubscribe = await subscribe(({ kind, message }) => {
 *   if (kind === "new") console.log(`${message.from_claude}: ${message.task}`);
 *   if (kind === "completed") console.log(`${message.id} is done: ${message.result}`);
 * });
 * await unsubscribe();
 */
export async function subscribe(
  handler: (event: CoordinationEvent) => unknown,
  forClaude = ownName(),
): Promise<() => Promise<void>> {
  return subscribeAs({ ...environment(), as: forClaude }, handler);
}

/** Claims a task under a key, so that asking again when no answer came gives the same claim; a chat has no claim. */
async function claim(id: string): Promise<Message> {
  try {
    return await once({ claim: id }, (claim_key) => call("claim", { id, claim_key }));
  } catch (error) {
    if (isRefusal(error, "not_a_task")) return call("update", { id, status: "in_progress" });
    throw error;
  }
}

async function listAll(filter: Params<"list">): Promise<Message[]> {
  const all: Message[] = [];
  const lists = pages({ call }, "list", { ...filter, limit: LIMITS.list_messages });
  for await (const { messages } of lists) all.push(...messages);
  return all;
}

/** Carries out a call under a key, which stays the same when the same hub is asked again because no answer came. */
const once = <T>(asked: object, carryOut: (key: string) => Promise<T>) =>
  repeats.once({ ...environment(), ...asked }, carryOut);

/** @param as the name to act under; left out, this instance's. */
function call<N extends OperationName>(operation: N, params: Params<N>, as?: string): Promise<Result<N>> {
  const access = environment();
  return restCall({ ...access, as: as ?? access.as }, operation, params);
}
