/** The rules of receipts: one for each whom a chat to everyone is for. */
import { changeChat, isForTasks } from "./chat.ts";
import { type Caller, type Change, type ModelMessage, type ModelReceipt, Refused, type Scene } from "./message.ts";

const STEPS = ["delivered", "seen", "acknowledged"] as const;

type Step = (typeof STEPS)[number];

const LEADS_TO: Partial<Record<Change["op"], Step>> = {
  claim: "seen",
  seen: "seen",
  complete: "acknowledged",
  fail: "acknowledged",
  release: "delivered",
};

/** How far a command takes its caller's receipt; undefined: it is not about a receipt. */
export function stepOf({ said }: ModelMessage, command: Change, { claude_id }: Caller): Step | undefined {
  const isReader = said.to_claude === "*" && claude_id !== null && claude_id !== said.from_claude;
  return isReader && !isForTasks(command) ? LEADS_TO[command.op] : undefined;
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
  if (command.op === "claim" && (command.result ?? command.error) !== undefined) throw new Refused("invalid_params");
  const words = step === "acknowledged" ? wordsOf(command) : undefined;
  const before = chat.receipts.get(reader);
  if (before?.[step] !== undefined) {
    if (words !== undefined && words !== before.words) throw new Refused("wrong_status");
    return chat;
  }
  if (isOver(chat) && command.op === "claim") throw new Refused("wrong_status");
  come(chat, reader, step, scene).words ??= words;
  const isOpen = [...chat.receipts.values()].some(({ acknowledged, late }) => acknowledged === undefined && !late);
  if (step !== "acknowledged" || isOpen || isOver(chat)) return chat;
  return changeChat(chat, { op: "complete" }, caller, scene);
}

const wordsOf = ({ op, ...words }: Change) => {
  const { result, error } = words as { result?: string; error?: string };
  return JSON.stringify([op, result, error]);
};

export function deliverTo(chat: ModelMessage, reader: string, scene: Scene): void {
  const receipt = chat.receipts.get(reader);
  const isFor = reader !== chat.said.from_claude && (receipt !== undefined || !isOver(chat));
  if (isFor && receipt?.delivered === undefined) come(chat, reader, "delivered", scene);
}

/** Whoever comes so far has come through what lies before. The chat itself stays as it is. */
function come(chat: ModelMessage, reader: string, step: Step, scene: Scene): ModelReceipt {
  const receipt = chat.receipts.get(reader) ?? { late: true };
  for (const passed of STEPS.slice(0, STEPS.indexOf(step) + 1)) receipt[passed] ??= scene.now;
  chat.receipts.set(reader, receipt);
  scene.events.push({ kind: step, message: chat });
  return receipt;
}
