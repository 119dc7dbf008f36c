/** The rules of receipts: one for each whom a chat to everyone is for. */
import { changeChat } from "./chat.ts";
import type { Caller, Change, ModelMessage, Scene } from "./message.ts";

const STEPS = ["delivered", "seen", "acknowledged"] as const;

type Step = (typeof STEPS)[number];

const LEADS_TO: Partial<Record<Change["op"], Step>> = {
  claim: "seen",
  seen: "seen",
  complete: "acknowledged",
  fail: "acknowledged",
};

/** How far a command takes its caller's receipt; undefined: it is not about a receipt. */
export function stepOf({ said }: ModelMessage, command: Change, { claude_id }: Caller): Step | undefined {
  const isAsked = command.op === "claim" && command.tasksOnly;
  const isReader = said.to_claude === "*" && claude_id !== null && claude_id !== said.from_claude;
  return isReader && !isAsked ? LEADS_TO[command.op] : undefined;
}

const isOver = ({ status }: ModelMessage) => status === "complete" || status === "failed";

export function changeReceipt(
  chat: ModelMessage,
  step: Step,
  command: Change,
  caller: Caller,
  scene: Scene,
): ModelMessage {
  const reader = caller.claude_id as string;
  if (chat.receipts.get(reader)?.[step] !== undefined) return chat;
  if (isOver(chat) && command.op !== "seen") return changeChat(chat, command, caller, scene);
  come(chat, reader, step, scene);
  const isOpen = [...chat.receipts.values()].some(({ acknowledged }) => acknowledged === undefined);
  return step !== "acknowledged" || isOpen ? chat : changeChat(chat, { op: "complete" }, caller, scene);
}

export function deliverTo(chat: ModelMessage, reader: string, scene: Scene): void {
  const isNews = chat.receipts.get(reader)?.delivered === undefined;
  if (reader !== chat.said.from_claude && !isOver(chat) && isNews) come(chat, reader, "delivered", scene);
}

/** Whoever comes so far has come through what lies before. The chat itself stays as it is. */
function come(chat: ModelMessage, reader: string, step: Step, scene: Scene): void {
  const receipt = chat.receipts.get(reader) ?? {};
  for (const passed of STEPS.slice(0, STEPS.indexOf(step) + 1)) receipt[passed] ??= scene.now;
  chat.receipts.set(reader, receipt);
  scene.events.push({ kind: step, message: chat });
}
