/**
 * The life of a chat: read, then acknowledged. It has no lease, no attempts and no holder. Its recipient moves it
 * along, or a caller without a name, as the document allows, or its sender, who closes it. What has ended stays ended.
 */

import { EVERYONE } from "../../shared/addressing.ts";
import { HubError } from "../../shared/errors.ts";
import type { Status } from "../../shared/message.ts";
import { type CommandOf, isForTasks, type Transition } from "./commands.ts";
import { type Decision, type EventDraft, unchanged } from "./decision.ts";
import { saysTheSame } from "./endings.ts";
import { isRecipient } from "./holder.ts";
import type { Caller, Circumstances, MessageState } from "./message.ts";
import { waiting } from "./readiness.ts";

type Move = "claim" | "complete" | "fail" | "release";

const TARGET: Record<Move, { status: Status; kind: EventDraft["kind"] }> = {
  claim: { status: "in_progress", kind: "claimed" },
  complete: { status: "complete", kind: "completed" },
  fail: { status: "failed", kind: "failed" },
  release: { status: "pending", kind: "released" },
};

const ALLOWED: Record<Status, readonly Status[]> = {
  pending: ["in_progress", "complete", "failed"],
  in_progress: ["complete", "failed", "pending"],
  complete: [],
  failed: [],
};

const isMove = (command: Transition): command is CommandOf<Move> => Object.hasOwn(TARGET, command.op);

export function decideChat(state: MessageState, command: Transition, c: Circumstances): Decision {
  if (command.op === "wake") return wakeChat(state, c);
  if (!isMove(command)) throw notATask(state, `A chat has no work in it: ${command.op} is for tasks`);
  if (isForTasks(command)) throw notATask(state, FOR_TASKS[command.op as keyof typeof FOR_TASKS]);
  assertMayMove(state, command.op, c.caller);
  const target = TARGET[command.op];
  if (isRepeat(state, command, target.status)) return unchanged(state);
  if (!ALLOWED[state.status].includes(target.status)) {
    throw new HubError("wrong_status", `Chat is ${state.status}: ${command.op} is not possible`, {
      id: state.id,
      status: state.status,
    });
  }
  const actor = c.caller.claude_id ?? (state.to_claude === EVERYONE ? null : state.to_claude);
  return { next: moved(state, command, target.status, actor, c.now), events: [{ kind: target.kind, actor }] };
}

const notATask = ({ id }: MessageState, sentence: string) => new HubError("not_a_task", sentence, { id });

const FOR_TASKS = {
  claim: "A chat cannot be claimed: read it, or update its status",
  release: "A chat is given back as it is: reason and rest_ms are for tasks",
};

/** Nobody speaks for another instance; for a chat to everyone, receipts say who did what. */
function assertMayMove(state: MessageState, op: Move, { claude_id }: Caller): void {
  const { from_claude, to_claude } = state;
  if (claude_id === null || claude_id === from_claude || to_claude === EVERYONE) return;
  if (isRecipient(state, claude_id)) return;
  throw new HubError("not_recipient", `Chat is for ${to_claude}: ${op} is not for others`, {
    id: state.id,
    to_claude,
  });
}

/** Reading twice and acknowledging twice are harmless. */
function isRepeat(state: MessageState, command: CommandOf<Move>, target: Status): boolean {
  if (state.status !== target) return false;
  if (command.op === "release") return true;
  if (command.op === "claim" && command.result === undefined && command.error === undefined) return true;
  return saysTheSame(state, command);
}

function moved(
  state: MessageState,
  command: CommandOf<Move>,
  status: Status,
  actor: string | null,
  now: number,
): MessageState {
  if (command.op === "release") return { ...waiting(state, now), claimed_by: null, claimed_at: null };
  const read = { ...state, status, delivered_at: state.delivered_at ?? now, wake_at: null };
  const said = { ...read, result: command.result ?? null, error: command.error ?? null };
  if (command.op === "claim") return { ...said, claimed_by: actor, claimed_at: now };
  return {
    ...said,
    failure: command.op === "fail" ? "error" : null,
    completed_at: now,
  };
}

function wakeChat(state: MessageState, c: Circumstances): Decision {
  if (state.status !== "pending" || state.expires_at === null || state.expires_at > c.now) return unchanged(state);
  const next: MessageState = { ...state, status: "failed", failure: "expired", completed_at: c.now, wake_at: null };
  const error = state.to_claude === EVERYONE ? "not all acknowledged it in time" : "nobody read it in time";
  return { next: { ...next, error }, events: [{ kind: "failed", actor: null }] };
}
