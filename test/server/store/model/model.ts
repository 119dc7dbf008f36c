/**
 * The hub's messages as the design describes them, in the plainest way: an array of objects, and a rule for each
 * command. Written without a look at the core, against which it is held.
 */
import type { StoreCommand } from "../../../../server/store/store.ts";
import type { ErrorCode } from "../../../../shared/errors.ts";
import type { EventKind } from "../../../../shared/event.ts";
import type { Failure, Status } from "../../../../shared/message.ts";

type Send = Extract<StoreCommand, { op: "send" }>;
type Caller = Send["caller"];
type Said = Send["said"];
type Change = Extract<StoreCommand, { op: "change" }>["command"];

export interface Durations {
  graceMs: number;
  detachedMs: number;
  backoffMaxMs: number;
}

export interface ModelMessage {
  /** Given by the store; unknown until it has answered. */
  id: string;
  said: Said;
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
  /** Of the last claim; null: nobody in particular. */
  holder: { name: string | null; run: string | null } | undefined;
  claimKey: string | undefined;
  claimed: number | undefined;
  /** Null: kept by the hub. */
  lease: number | null;
  delivered: number | undefined;
  completed: number | undefined;
  result: string | undefined;
  error: string | undefined;
  failure: Failure | undefined;
}

/** What a command is expected to do. */
export type Verdict =
  | { ok: true; message: ModelMessage | null; deduplicated?: boolean; erased?: boolean; events: Told[] }
  | { ok: false; code: ErrorCode };

export interface Told {
  kind: EventKind;
  message: ModelMessage;
  /** Bounds of the rest that a requeued task takes; the dice are the store's. */
  rest?: { least: number; most: number };
}

class Refused extends Error {
  readonly code: ErrorCode;
  constructor(code: ErrorCode) {
    super(code);
    this.code = code;
  }
}

const HEAD_START_MIN = { low: -10, normal: 0, high: 10, urgent: 60 };

export class Model {
  readonly messages: ModelMessage[] = [];
  readonly #keys = new Map<string, { body: string; message: ModelMessage }>();
  readonly #durations: Durations;
  #now = 0;
  #events: Told[] = [];

  constructor(durations: Durations) {
    this.#durations = durations;
  }

  /** What a command does at a moment. */
  apply(command: StoreCommand, now: number): Verdict {
    this.#now = now;
    this.#events = [];
    try {
      const answer = this.#perform(command);
      for (const { message } of this.#events) message.updated = now;
      return { ok: true, ...answer, events: this.#events };
    } catch (error) {
      if (error instanceof Refused) return { ok: false, code: error.code };
      throw error;
    }
  }

  /** The next moment at which time alone changes something. */
  get earliestWake(): number | null {
    const moments = this.messages.flatMap((message) => momentsOf(message));
    return moments.length === 0 ? null : Math.min(...moments);
  }

  #perform(command: StoreCommand): Omit<Extract<Verdict, { ok: true }>, "ok" | "events"> {
    switch (command.op) {
      case "send":
        return this.#send(command);
      case "change":
        return { message: this.#change(this.#find(command.id), command.command, command.caller) };
      case "claim_next":
        return { message: this.#claimNext(command) };
      case "delete":
        this.#delete(this.#find(command.id));
        return { message: null };
      case "delivered":
        for (const id of command.ids) this.#deliver(this.messages.find((message) => message.id === id));
        return { message: null };
      case "lapse":
        for (const task of this.#held(({ run }) => run !== null, command.holder)) task.lease ??= command.until;
        return { message: null };
      case "keep":
        for (const task of this.#held(() => true, command.holder)) task.lease = null;
        return { message: null };
      case "lengthen":
        for (const task of this.#held(() => true, { claude_id: command.claude_id, run: null })) {
          task.lease = Math.max(task.lease as number, command.until);
        }
        return { message: null };
      case "wake":
        this.#wake();
        return { message: null };
      default:
        return { message: null };
    }
  }

  #find(id: string): ModelMessage {
    const found = this.messages.find((message) => message.id === id);
    if (!found) throw new Refused("not_found");
    return found;
  }

  #held(matches: (holder: { run: string | null }) => boolean, of?: { claude_id: string; run: string | null }) {
    return this.messages.filter(
      ({ isTask, status, holder }) =>
        isTask &&
        status === "in_progress" &&
        holder !== undefined &&
        matches(holder) &&
        (of === undefined || (holder.name === of.claude_id && holder.run === of.run)),
    );
  }

  #tell(kind: EventKind, message: ModelMessage, rest?: Told["rest"]): ModelMessage {
    this.#events.push({ kind, message, ...(rest && { rest }) });
    return message;
  }

  #send({ said, key }: Send): { message: ModelMessage; deduplicated: boolean; erased?: boolean } {
    const isTask = said.type !== "chat";
    if (isTask && said.to_claude === "*") throw new Refused("not_a_task");
    const body = JSON.stringify(said);
    const known = key === undefined ? undefined : this.#keys.get(`${said.from_claude}/${key}`);
    if (known && known.body !== body) throw new Refused("idempotency_conflict");
    if (known) return { message: known.message, deduplicated: true, erased: !this.messages.includes(known.message) };
    const message: ModelMessage = {
      ...{ id: "?", said, isTask, created: this.#now, updated: this.#now, seq: 0, status: "pending", attempt: 0 },
      ...{ ready: false, notBefore: said.not_before, triesLeft: said.max_attempts ?? 3, lease: null },
      ...{ holder: undefined, claimKey: undefined, claimed: undefined, delivered: undefined, completed: undefined },
      ...{ result: undefined, error: undefined, failure: undefined },
    };
    message.ready = this.#isReady(message);
    this.messages.push(message);
    if (key !== undefined) this.#keys.set(`${said.from_claude}/${key}`, { body, message });
    return { message: this.#tell("new", message), deduplicated: false };
  }

  #isReady = ({ isTask, notBefore }: ModelMessage) => isTask && (notBefore === undefined || notBefore <= this.#now);

  #claimNext({ caller, for_claude, claim_key }: Extract<StoreCommand, { op: "claim_next" }>): ModelMessage | null {
    const holder = { claude_id: caller.claude_id ?? for_claude, run: caller.run };
    const before = this.#held(() => true, holder).find(({ claimKey }) => claim_key && claimKey === claim_key);
    if (before) return before;
    const waiting = this.messages.filter((task) => task.ready && task.said.to_claude === for_claude);
    const rank = ({ created, said }: ModelMessage) => created - HEAD_START_MIN[said.priority ?? "normal"] * 60_000;
    const [next] = waiting.sort((a, b) => rank(a) - rank(b));
    return next ? this.#claim(next, caller, claim_key) : null;
  }

  #change(message: ModelMessage, command: Change, caller: Caller): ModelMessage {
    return message.isTask ? this.#changeTask(message, command, caller) : this.#changeChat(message, command, caller);
  }

  #changeTask(task: ModelMessage, command: Change, caller: Caller): ModelMessage {
    switch (command.op) {
      case "claim":
        return this.#claimOne(task, caller, command.claim_key);
      case "complete":
        return this.#complete(task, command, caller);
      case "fail":
        return this.#fail(task, command, caller);
      case "release":
        if (task.status !== "in_progress") throw new Refused("wrong_status");
        this.#assertHolds(task, caller, command.attempt);
        task.triesLeft++;
        return this.#tell("released", this.#wait(task));
    }
  }

  #claimOne(task: ModelMessage, caller: Caller, key: string | undefined): ModelMessage {
    if (task.status === "in_progress" && key && key === task.claimKey && this.#isHolder(task, caller)) return task;
    if (task.status !== "pending") throw new Refused("wrong_status");
    if (!task.ready) throw new Refused("not_ready");
    return this.#claim(task, caller, key);
  }

  #claim(task: ModelMessage, caller: Caller, key: string | undefined): ModelMessage {
    this.#take(task, caller);
    task.status = "in_progress";
    task.claimKey = key;
    const { graceMs, detachedMs } = this.#durations;
    task.lease = caller.run === null ? this.#now + detachedMs : caller.attached ? null : this.#now + graceMs;
    return this.#tell("claimed", task);
  }

  /** Another attempt begins. */
  #take(task: ModelMessage, caller: Caller): void {
    task.ready = false;
    task.attempt++;
    task.triesLeft--;
    task.holder = { name: caller.claude_id ?? task.said.to_claude, run: caller.run };
    task.claimed = this.#now;
    task.delivered ??= this.#now;
  }

  #isHolder({ holder, said }: ModelMessage, caller: Caller): boolean {
    if (!holder || holder.name !== (caller.claude_id ?? said.to_claude)) return false;
    return holder.run === null || holder.run === caller.run;
  }

  #assertHolds(task: ModelMessage, caller: Caller, attempt: number | undefined): void {
    if (attempt !== undefined && attempt !== task.attempt) throw new Refused("lease_lost");
    if (!this.#isHolder(task, caller)) throw new Refused("lease_lost");
    if (attempt === undefined && task.holder?.run) throw new Refused("invalid_params");
  }

  #complete(task: ModelMessage, { attempt, result }: Extract<Change, { op: "complete" }>, caller: Caller) {
    if (task.status === "complete") {
      if (attempt !== undefined && attempt !== task.attempt) throw new Refused("lease_lost");
      if (result === task.result && this.#isHolder(task, caller)) return task;
    }
    if (task.status === "complete" || task.status === "failed") throw new Refused("wrong_status");
    if (task.status === "pending" && attempt === undefined) {
      const to = task.said.to_claude;
      if ((caller.claude_id ?? to) !== to) throw new Refused("wrong_status");
      this.#take(task, { ...caller, claude_id: to });
    } else this.#assertHolds(task, caller, attempt);
    return this.#end(task, "complete", { result });
  }

  #fail(task: ModelMessage, { attempt, error, retryable }: Extract<Change, { op: "fail" }>, caller: Caller) {
    if (task.status === "complete") throw new Refused("wrong_status");
    if (task.status === "failed") {
      if (attempt !== undefined && attempt !== task.attempt) throw new Refused("lease_lost");
      if (error === task.error && this.#isHolder(task, caller)) return task;
      throw new Refused("wrong_status");
    }
    if (task.status === "pending" && attempt === undefined)
      return this.#end(forgotten(task), "failed", { error }, "error");
    this.#assertHolds(task, caller, attempt);
    if (!retryable) return this.#end(task, "failed", { error }, "error");
    return task.status === "pending" ? task : this.#giveBack(task, error);
  }

  /** The present attempt is over without a result. */
  #giveBack(task: ModelMessage, error: string | undefined): ModelMessage {
    if (task.triesLeft === 0) return this.#end(task, "failed", { error }, "attempts_exhausted");
    const { backoff_ms = 5_000, max_attempts = 3 } = task.said;
    const tries = max_attempts - task.triesLeft;
    const full = Math.min(this.#durations.backoffMaxMs, backoff_ms * 2 ** (tries - 1));
    if (full === 0) {
      this.#tell("requeued", this.#wait(task));
      return this.#tell("ready", task);
    }
    task.notBefore = Number.POSITIVE_INFINITY; // until the store has told
    return this.#tell("requeued", this.#wait(task), {
      least: this.#now + Math.floor(full / 2),
      most: this.#now + full,
    });
  }

  #wait(message: ModelMessage): ModelMessage {
    message.status = "pending";
    message.lease = null;
    message.ready = this.#isReady(message);
    return message;
  }

  #end(
    message: ModelMessage,
    status: "complete" | "failed",
    said: { result?: unknown; error?: unknown },
    failure?: Failure,
  ) {
    const { result, error } = said as { result?: string; error?: string };
    Object.assign(message, { status, result, error, failure, completed: this.#now, lease: null, ready: false });
    return this.#tell(status === "complete" ? "completed" : "failed", message);
  }

  #changeChat(chat: ModelMessage, command: Change, caller: Caller): ModelMessage {
    if (command.op === "claim" && command.tasksOnly) throw new Refused("not_a_task");
    const isOver = chat.status === "complete" || chat.status === "failed";
    const leadsTo = { claim: "in_progress", complete: "complete", fail: "failed", release: "pending" }[command.op];
    if (isOver && (chat.status !== leadsTo || !sameEnding(chat, command))) throw new Refused("wrong_status");
    if (chat.status === leadsTo) return chat;
    if (command.op === "release") return this.#tell("released", this.#wait(forgotten(chat)));
    chat.delivered ??= this.#now;
    if (command.op === "complete") return this.#end(chat, "complete", command);
    if (command.op === "fail") return this.#end(chat, "failed", command, "error");
    const { to_claude } = chat.said;
    chat.holder = { name: caller.claude_id ?? (to_claude === "*" ? null : to_claude), run: null };
    chat.claimed = this.#now;
    chat.status = "in_progress";
    return this.#tell("claimed", chat);
  }

  #delete(message: ModelMessage): void {
    this.messages.splice(this.messages.indexOf(message), 1);
    this.#tell("deleted", message);
  }

  #deliver(message: ModelMessage | undefined): void {
    if (message?.status !== "pending" || message.delivered !== undefined) return;
    message.delivered = this.#now;
    this.#tell("delivered", message);
  }

  #wake(): void {
    const due = this.messages.filter((message) => momentsOf(message).some((moment) => moment <= this.#now));
    for (const message of due) this.#timeHasCome(message);
  }

  #timeHasCome(message: ModelMessage): void {
    const { said, isTask, status } = message;
    if (status === "in_progress") {
      const timedOut = said.timeout_ms !== undefined && (message.claimed as number) + said.timeout_ms <= this.#now;
      const why = timedOut ? `timed out after ${said.timeout_ms} ms` : `${message.holder?.name} was gone`;
      this.#giveBack(message, why);
    } else if (said.expires_at !== undefined && said.expires_at <= this.#now) {
      const error = isTask ? "nobody claimed it in time" : "nobody read it in time";
      this.#end(isTask ? forgotten(message) : message, "failed", { error }, "expired");
    } else {
      message.ready = true;
      this.#tell("ready", message);
    }
  }
}

/** The moments at which time alone changes a message. */
function momentsOf({ said, isTask, status, ready, notBefore, lease, claimed }: ModelMessage): number[] {
  const moments: (number | null | undefined)[] = [];
  if (status === "pending") moments.push(said.expires_at, isTask && !ready ? notBefore : undefined);
  if (status === "in_progress" && isTask) {
    moments.push(lease, said.timeout_ms === undefined ? undefined : (claimed as number) + said.timeout_ms);
  }
  return moments.filter((moment): moment is number => typeof moment === "number");
}

/** Nobody has it, and nobody had. */
function forgotten(message: ModelMessage): ModelMessage {
  return Object.assign(message, { holder: undefined, claimed: undefined, claimKey: undefined });
}

const sameEnding = (chat: ModelMessage, command: Change) =>
  (command.op === "complete" || command.op === "fail") &&
  chat.result === command.result &&
  chat.error === command.error;
