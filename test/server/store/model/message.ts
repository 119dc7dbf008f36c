/** A message as the model keeps it, and what its rules share. */
import type { StoreCommandOf } from "../../../../server/store/storeCommands.ts";
import type { ErrorCode } from "../../../../shared/errors.ts";
import type { EventKind } from "../../../../shared/event.ts";
import type { Failure, Status } from "../../../../shared/message.ts";

export type Send = StoreCommandOf<"send">;
export type Change = StoreCommandOf<"change">["command"];
export type ChangeOf<Op extends Change["op"]> = Extract<Change, { op: Op }>;
export type Caller = StoreCommandOf<"change">["caller"];

export interface ModelMessage {
  /** Given by the store; unknown until it has answered. */
  id: string;
  said: Send["said"];
  /** What it goes on with, and how far it has come. */
  chain: { id: string; hops: number } | undefined;
  isTask: boolean;
  created: number;
  updated: number;
  seq: number;
  status: Status;
  /** Whether a waiting task can be claimed. */
  ready: boolean;
  notBefore: number | undefined;
  attempt: number;
  triesLeft: number;
  /** Of the last claim; name null: nobody in particular. */
  holder: { name: string | null; run: string | null } | undefined;
  claimKey: string | undefined;
  claimed: number | undefined;
  /** When the time of its attempt is over. */
  timeout: number | undefined;
  /** Null: kept by the hub. */
  lease: number | null;
  delivered: number | undefined;
  completed: number | undefined;
  result: string | undefined;
  error: string | undefined;
  failure: Failure | undefined;
  progress: { percent?: number; note?: string; at: number } | undefined;
  seen: number | undefined;
  extended: number | undefined;
  /** Whether the time before which it cannot be claimed was over when it was looked at last. */
  passed: boolean;
  /** What it answers or is a part of, and so whose trace it is in. */
  origin?: ModelMessage | undefined;
  /** Open messages that it waits for. */
  awaits: Set<ModelMessage>;
  /** Of a chat to everyone, by who reads it. */
  receipts: Map<string, ModelReceipt>;
  /** Tries that ended without completing it, how, and whether their holder has said otherwise since. */
  tries: {
    attempt: number;
    holder: { name: string | null; run: string | null };
    ended: EventKind;
    error: string | undefined;
    late: boolean;
  }[];
}

/** One event that is expected. */
export interface Told {
  kind: EventKind;
  message: ModelMessage;
  /** Bounds of the rest that a requeued task takes; the dice are the store's. */
  rest?: { least: number; most: number };
}

export interface ModelReceipt {
  delivered?: number;
  seen?: number;
  acknowledged?: number;
  /** What it acknowledged with. */
  words?: string | undefined;
  /** Its reader was not there when the chat was sent. */
  late?: boolean;
}

export interface Durations {
  graceMs: number;
  detachedMs: number;
  backoffMaxMs: number;
}

/** Where a command is performed: when, and what has been told of it so far. */
export class Scene {
  readonly now: number;
  readonly durations: Durations;
  readonly events: Told[] = [];

  constructor(now: number, durations: Durations) {
    this.now = now;
    this.durations = durations;
  }

  tell(kind: EventKind, message: ModelMessage, rest?: Told["rest"]): ModelMessage {
    this.events.push({ kind, message, ...(rest && { rest }) });
    message.updated = this.now;
    return message;
  }
}

export class Refused extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode) {
    super(code);
    this.code = code;
  }
}

export function newMessage(said: Send["said"], now: number, chain: ModelMessage["chain"]): ModelMessage {
  const message: ModelMessage = {
    ...{
      id: "?",
      said,
      chain,
      isTask: said.type !== "chat",
      created: now,
      updated: now,
      seq: 0,
      status: "pending",
      attempt: 0,
    },
    ...{ ready: false, notBefore: said.not_before, triesLeft: said.max_attempts ?? 3, lease: null },
    ...{ holder: undefined, claimKey: undefined, claimed: undefined, delivered: undefined, completed: undefined },
    timeout: undefined,
    ...{ result: undefined, error: undefined, failure: undefined },
    ...{ progress: undefined, seen: undefined, extended: undefined, tries: [], awaits: new Set(), passed: false },
    receipts: new Map(),
  };
  return wait(message, now);
}

export function wait(message: ModelMessage, now: number): ModelMessage {
  const { isTask, notBefore, awaits } = message;
  const ready = isTask && awaits.size === 0 && (notBefore === undefined || notBefore <= now);
  const passed = notBefore === undefined || notBefore <= now;
  const undone = { result: undefined, error: undefined };
  return Object.assign(message, { status: "pending", lease: null, ready, passed, ...undone });
}

/** Nobody has it, and nobody had. */
export const forget = (message: ModelMessage): ModelMessage =>
  Object.assign(message, { holder: undefined, claimed: undefined, claimKey: undefined });

interface Ending {
  result?: string | undefined;
  error?: string | undefined;
  failure?: Failure;
}

/** The present try ends without completing the task. */
export function endTry(message: ModelMessage, ended: EventKind, error: string | undefined): ModelMessage {
  const { status, isTask, attempt, holder } = message;
  if (status === "in_progress" && isTask && holder) message.tries.push({ attempt, holder, ended, error, late: false });
  message.extended = undefined;
  return message;
}

export function end(message: ModelMessage, { result, error, failure }: Ending, scene: Scene): ModelMessage {
  const over = { result, error, failure, completed: scene.now, lease: null, ready: false };
  const kind = failure === "cancelled" ? "cancelled" : failure ? "failed" : "completed";
  if (failure) endTry(message, kind, error);
  Object.assign(message, over, { status: failure ? "failed" : "complete", extended: undefined });
  return scene.tell(kind, message);
}

/** As it waits when its time has come before. */
export const waitNoMore = (message: ModelMessage): ModelMessage => wait(message, Number.POSITIVE_INFINITY);

/** The moments at which time alone changes a message. */
export function momentsOf({ said, isTask, status, ready, notBefore, lease, timeout, passed }: ModelMessage): number[] {
  const moments: (number | null | undefined)[] = [];
  if (status === "pending") moments.push(said.expires_at, isTask && !ready && !passed ? notBefore : undefined);
  if (status === "in_progress" && isTask) moments.push(lease, timeout);
  return moments.filter((moment): moment is number => typeof moment === "number");
}
