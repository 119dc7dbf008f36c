/** The rules of a chat. */
import {
  type Caller,
  type Change,
  type ChangeOf,
  end,
  forget,
  type ModelMessage,
  Refused,
  type Scene,
  wait,
} from "./message.ts";

const LEADS_TO = { claim: "in_progress", complete: "complete", fail: "failed", release: "pending" } as const;

type Move = ChangeOf<keyof typeof LEADS_TO>;

const isMove = (command: Change): command is Move => Object.hasOwn(LEADS_TO, command.op);

export function changeChat(chat: ModelMessage, command: Change, caller: Caller, scene: Scene): ModelMessage {
  if (!isMove(command) || isForTasks(command)) throw new Refused("not_a_task");
  if (!mayMove(chat, caller)) throw new Refused("not_recipient");
  const isOver = chat.status === "complete" || chat.status === "failed";
  const changesNothing = chat.status === LEADS_TO[command.op];
  if (isOver && !(changesNothing && endsAlike(chat, command))) throw new Refused("wrong_status");
  if (changesNothing && !endsAlike(chat, command) && saysSomething(command)) throw new Refused("wrong_status");
  if (changesNothing) return chat;
  if (command.op === "release") return scene.tell("released", wait(forget(chat), scene.now));
  chat.delivered ??= scene.now;
  if (command.op === "complete") return end(chat, command, scene);
  if (command.op === "fail") return end(chat, { ...command, failure: "error" }, scene);
  return read(chat, command, caller, scene);
}

/** What is said of it has no meaning for a chat. */
export const isForTasks = (command: Change) =>
  (command.op === "claim" && command.tasksOnly) ||
  (command.op === "release" && (command.reason ?? command.rest_ms) !== undefined);

function mayMove({ said: { from_claude, to_claude } }: ModelMessage, { claude_id }: Caller): boolean {
  if (to_claude === "*" || to_claude.startsWith("@")) return true;
  return claude_id === null || claude_id === from_claude || claude_id === to_claude;
}

function read(chat: ModelMessage, { result, error }: ChangeOf<"claim">, caller: Caller, scene: Scene): ModelMessage {
  const { to_claude } = chat.said;
  const reader = caller.claude_id ?? (to_claude === "*" ? null : to_claude);
  Object.assign(chat, {
    holder: { name: reader, run: null },
    claimed: scene.now,
    status: "in_progress",
    result,
    error,
  });
  return scene.tell("claimed", chat);
}

const wordsOf = (command: Move) => command as { result?: string; error?: string };

const endsAlike = (chat: ModelMessage, command: Move) =>
  chat.result === wordsOf(command).result && chat.error === wordsOf(command).error;

const saysSomething = (command: Move) => wordsOf(command).result !== undefined || wordsOf(command).error !== undefined;

/** A moment has come at which time alone changes the chat. */
export function chatIsDue(chat: ModelMessage, scene: Scene): void {
  const error = chat.said.to_claude === "*" ? "not all acknowledged it in time" : "nobody read it in time";
  end(chat, { error, failure: "expired" }, scene);
}
