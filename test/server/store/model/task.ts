/** The rules of a task. */
import {
  type Caller,
  type Change,
  type ChangeOf,
  end,
  endTry,
  forget,
  type ModelMessage,
  Refused,
  type Scene,
  wait,
  waitNoMore,
} from "./message.ts";

export function changeTask(task: ModelMessage, command: Change, caller: Caller, scene: Scene): ModelMessage {
  switch (command.op) {
    case "claim":
      return claimThis(task, command, caller, scene);
    case "complete":
      return complete(task, command, caller, scene);
    case "fail":
      return fail(task, command, caller, scene);
    case "release":
      if (task.status !== "in_progress") throw new Refused("wrong_status");
      assertHolds(task, caller, command.attempt);
      return release(task, command, scene);
    case "cancel":
      return cancel(task, command.reason, scene);
    case "retry":
      return retry(task, scene);
    case "extend":
      return extend(task, command, caller, scene);
    case "progress":
      if (task.status !== "in_progress") throw new Refused("wrong_status");
      assertHolds(task, caller, command.attempt);
      task.progress = { ...said(command), at: scene.now };
      return scene.tell("progress", task);
    case "seen":
      throw new Error("is the same for every message");
  }
}

function release(task: ModelMessage, { reason, rest_ms }: ChangeOf<"release">, scene: Scene): ModelMessage {
  task.triesLeft++;
  endTry(task, "released", reason);
  if (!rest_ms) return scene.tell("released", waitNoMore(task));
  task.notBefore = scene.now + rest_ms;
  return scene.tell("released", wait(task, scene.now));
}

const said = ({ percent, note }: ChangeOf<"progress">) => ({
  ...(percent !== undefined && { percent }),
  ...(note !== undefined && { note }),
});

function cancel(task: ModelMessage, reason: string | undefined, scene: Scene): ModelMessage {
  if (task.failure === "cancelled") return task;
  if (task.status === "complete" || task.status === "failed") throw new Refused("wrong_status");
  if (task.status === "pending") forget(task);
  return end(task, { error: reason, failure: "cancelled" }, scene);
}

function retry(task: ModelMessage, scene: Scene): ModelMessage {
  if (task.status !== "failed") throw new Refused("wrong_status");
  const { max_attempts = 3, expires_at } = task.said;
  if (expires_at !== undefined && expires_at <= scene.now) task.said = { ...task.said, expires_at: undefined };
  Object.assign(forget(task), { failure: undefined, completed: undefined });
  task.triesLeft = max_attempts;
  const rests = task.attempt > 0 && task.notBefore !== undefined && task.notBefore > scene.now;
  if (rests) task.notBefore = scene.now;
  scene.tell("requeued", task.attempt > 0 ? waitNoMore(task) : wait(task, scene.now));
  return task.ready ? scene.tell("ready", task) : task;
}

function extend(task: ModelMessage, command: ChangeOf<"extend">, caller: Caller, scene: Scene): ModelMessage {
  if (task.status !== "in_progress") throw new Refused("wrong_status");
  assertHolds(task, caller, command.attempt);
  task.extended = Math.max(task.extended ?? 0, scene.now + (command.lease_ms ?? scene.durations.detachedMs));
  if (task.lease !== null) task.lease = Math.max(task.lease, task.extended);
  return task;
}

/**
 * A holder whose outcome was refused because its try was over.
 *
 * @returns whether that is how the try ended; else what it said is kept, once a try.
 */
export function isAnsweredAfterwards(task: ModelMessage, command: Change, caller: Caller, scene: Scene): boolean {
  if (command.op !== "complete" && command.op !== "fail" && command.op !== "release") return false;
  const name = caller.claude_id ?? task.said.to_claude;
  const own = task.tries.filter(({ holder }) => holder.name === name && (holder.run ?? caller.run) === caller.run);
  const { attempt } = command;
  const meant = attempt === undefined ? own.at(-1) : own.find((one) => one.attempt === attempt);
  if (meant && isSaidAgain(task, command, meant)) return true;
  if (!meant || meant.late || command.op === "release") return false;
  meant.late = true;
  scene.tell("late", task);
  return false;
}

function isSaidAgain(task: ModelMessage, command: Change, { attempt, ended, error }: ModelMessage["tries"][number]) {
  const isNewest = task.attempt === attempt;
  if (command.op !== "release" && command.op !== "fail") return false;
  if (command.attempt === undefined && !(isNewest && task.status === "pending")) return false;
  if (ended === "failed" && isNewest && (task.status === "failed" || task.status === "complete")) return false;
  if (command.op === "release") return ended === "released" && command.reason === error;
  if (command.op !== "fail" || command.error !== error || command.result !== undefined) return false;
  return ended === "failed" || (ended === "requeued" && command.retryable === true);
}

function claimThis(task: ModelMessage, command: ChangeOf<"claim">, caller: Caller, scene: Scene): ModelMessage {
  const { claim_key: key, result, error } = command;
  if (hasExpired(task, scene)) taskIsDue(task, scene);
  if (task.status === "in_progress" && isClaimedAgain(task, command) && isHolder(task, caller)) return task;
  if (task.status !== "pending") throw new Refused("wrong_status");
  if (!task.ready) throw new Refused("not_ready");
  return claim(task, key, caller, scene, { result, error });
}

function isClaimedAgain(task: ModelMessage, { claim_key, result, error }: ChangeOf<"claim">): boolean {
  return claim_key !== undefined && claim_key === task.claimKey && result === task.result && error === task.error;
}

/** Hands a task out. */
export function claim(
  task: ModelMessage,
  key: string | undefined,
  caller: Caller,
  scene: Scene,
  words: Pick<ChangeOf<"claim">, "result" | "error"> = {},
): ModelMessage {
  const { graceMs, detachedMs } = scene.durations;
  begin(task, caller, scene);
  task.status = "in_progress";
  task.claimKey = key;
  Object.assign(task, { result: words.result, error: words.error, progress: undefined });
  task.extended = undefined;
  task.timeout = task.said.timeout_ms === undefined ? undefined : scene.now + task.said.timeout_ms;
  task.lease = caller.run === null ? scene.now + detachedMs : caller.attached ? null : scene.now + graceMs;
  return scene.tell("claimed", task);
}

/** Another attempt begins. */
function begin(task: ModelMessage, caller: Caller, { now }: Scene): void {
  task.ready = false;
  task.attempt++;
  task.triesLeft--;
  task.holder = { name: caller.claude_id ?? task.said.to_claude, run: caller.run };
  task.claimed = now;
  task.delivered ??= now;
}

function isHolder({ holder, said }: ModelMessage, caller: Caller): boolean {
  if (!holder || holder.name !== (caller.claude_id ?? said.to_claude)) return false;
  return holder.run === null || holder.run === caller.run;
}

function assertHolds(task: ModelMessage, caller: Caller, attempt: number | undefined): void {
  if (attempt !== undefined && attempt !== task.attempt) throw new Refused("lease_lost");
  if (!isHolder(task, caller)) throw new Refused("lease_lost");
  if (attempt === undefined && task.holder?.run) throw new Refused("invalid_params");
}

function complete(task: ModelMessage, { attempt, result }: ChangeOf<"complete">, caller: Caller, scene: Scene) {
  if (task.status === "complete") {
    if (attempt !== undefined && attempt !== task.attempt) throw new Refused("lease_lost");
    if (result === task.result && isHolder(task, caller)) return task;
  }
  if (task.status === "complete" || task.status === "failed") throw new Refused("wrong_status");
  if (task.status === "in_progress" || attempt !== undefined) assertHolds(task, caller, attempt);
  else {
    const { to_claude } = task.said;
    if (caller.claude_id !== null && caller.claude_id !== to_claude) throw new Refused("wrong_status");
    begin(task, caller, scene);
  }
  return end(task, { result }, scene);
}

function fail(task: ModelMessage, command: ChangeOf<"fail">, caller: Caller, scene: Scene) {
  const { attempt, error, result, retryable } = command;
  if (task.status === "complete") throw new Refused("wrong_status");
  if (task.status === "failed") return failAgain(task, command, caller);
  const isUnheld = task.status === "pending" && attempt === undefined;
  if (!isUnheld) assertHolds(task, caller, attempt);
  if (!retryable) return end(isUnheld ? forget(task) : task, { error, result, failure: "error" }, scene);
  if (task.status === "pending") throw new Refused("wrong_status");
  return tryAgain(task, error, scene);
}

function failAgain(task: ModelMessage, { attempt, error, result }: ChangeOf<"fail">, caller: Caller): ModelMessage {
  if (attempt !== undefined && attempt !== task.attempt) throw new Refused("lease_lost");
  if (error === task.error && result === task.result && isHolder(task, caller)) return task;
  throw new Refused("wrong_status");
}

/** The present attempt is over without a result. */
function tryAgain(task: ModelMessage, error: string | undefined, scene: Scene): ModelMessage {
  if (task.triesLeft > 0) endTry(task, "requeued", error);
  if (task.triesLeft === 0) return end(task, { error, failure: "attempts_exhausted" }, scene);
  const { backoff_ms = 5_000, max_attempts = 3 } = task.said;
  const full = Math.min(scene.durations.backoffMaxMs, backoff_ms * 2 ** (max_attempts - task.triesLeft - 1));
  if (full === 0) {
    scene.tell("requeued", waitNoMore(task));
    return scene.tell("ready", task);
  }
  task.notBefore = Number.POSITIVE_INFINITY; // until the store has told
  const rest = { least: scene.now + Math.floor(full / 2), most: scene.now + full };
  return scene.tell("requeued", wait(task, scene.now), rest);
}

export const hasExpired = ({ said, status }: ModelMessage, { now }: Scene) =>
  status === "pending" && said.expires_at !== undefined && said.expires_at <= now;

/** A moment has come at which time alone changes the task. */
export function taskIsDue(task: ModelMessage, scene: Scene): void {
  const { said, status, timeout, holder } = task;
  if (status === "in_progress") {
    const timedOut = timeout !== undefined && timeout <= scene.now;
    tryAgain(task, timedOut ? `timed out after ${said.timeout_ms} ms` : `${holder?.name} was gone`, scene);
  } else if (said.expires_at !== undefined && said.expires_at <= scene.now) {
    end(forget(task), { error: "nobody claimed it in time", failure: "expired" }, scene);
  } else if (wait(task, scene.now).ready) {
    scene.tell("ready", task);
  }
}
