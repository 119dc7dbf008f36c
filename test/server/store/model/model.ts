/**
 * The hub's messages as the design describes them, in the plainest way: an array of objects, and a rule for each
 * command. Written without a look at the core, against which it is held.
 */
import type { Moment } from "../../../../server/clock.ts";
import type { StoreCommand, StoreCommandOf } from "../../../../server/store/storeCommands.ts";
import type { ErrorCode } from "../../../../shared/errors.ts";
import { changeChat, chatIsDue } from "./chat.ts";
import {
  type Durations,
  end,
  forget,
  type ModelMessage,
  momentsOf,
  newMessage,
  Refused,
  Scene,
  type Send,
  type Told,
  wait,
} from "./message.ts";
import { changeReceipt, deliverTo, stepOf } from "./receipt.ts";
import { changeTask, claim, hasExpired, isAnsweredAfterwards, taskIsDue } from "./task.ts";

/** What a command is expected to answer. */
interface Answer {
  message: ModelMessage | null;
  deduplicated?: boolean;
  erased?: boolean;
}

/** What a command is expected to do. */
export type Verdict = (Answer & { ok: true; events: Told[] }) | { ok: false; code: ErrorCode; events: Told[] };

const isOver = ({ status }: ModelMessage) => status === "complete" || status === "failed";

/** A task is for one recipient, and a chat waits for nothing. */
const isPossible = ({ type, to_claude, after, not_before }: Send["said"]) =>
  type === "chat" ? (after ?? not_before) === undefined : to_claude !== "*";

const doomedBy = ({ id }: ModelMessage) => `${id}, which it waits for, did not complete`;

const dooms = (by: ModelMessage, message: ModelMessage, scene: Scene) =>
  end(forget(message), { error: doomedBy(by), failure: "dependency" }, scene);

const HEAD_START_MIN = { low: -10, normal: 0, high: 10, urgent: 60 };

export class Model {
  readonly messages: ModelMessage[] = [];
  readonly #known = new Set<string>();
  readonly #keys = new Map<string, { body: string; message: ModelMessage }>();
  readonly #durations: Durations;
  /** Wall clock less time lived through. */
  #apart: number | undefined;
  /** The wall clock as the store has noted it. */
  #noted: number | undefined;

  constructor(durations: Durations) {
    this.#durations = durations;
  }

  /** What a command does at a moment. */
  apply(command: StoreCommand, now: number): Verdict {
    const scene = new Scene(now, this.#durations);
    try {
      return { ok: true, ...this.#perform(command, scene), events: scene.events };
    } catch (error) {
      if (error instanceof Refused) return { ok: false, code: error.code, events: scene.events };
      throw error;
    }
  }

  /**
   * A batch begins. When the wall clock has moved otherwise than time went by, what measures time goes with it; so it
   * does when the store was closed for more than ten seconds since it noted the time, as it does every two.
   *
   * @returns what rests until another time now.
   */
  keep({ now, awake }: Moment): ModelMessage[] {
    const isFirst = this.#apart === undefined;
    const jump = isFirst ? now - (this.#noted ?? now) : now - awake - (this.#apart as number);
    const isJump = Math.abs(jump) > (isFirst ? 10_000 : 1_000);
    if (isFirst || isJump) this.#apart = now - awake;
    if (this.#noted === undefined || Math.abs(now - this.#noted) >= 2_000) this.#noted = now;
    return isJump ? this.#move(jump) : [];
  }

  #move(by: number): ModelMessage[] {
    for (const task of this.#held()) {
      if (task.lease !== null) task.lease += by;
      if (task.extended !== undefined) task.extended += by;
      if (task.timeout !== undefined) task.timeout += by;
    }
    const resting = this.messages.filter(
      ({ isTask, status, ready, awaits, attempt, notBefore }) =>
        isTask && status === "pending" && !ready && awaits.size === 0 && attempt > 0 && notBefore !== undefined,
    );
    for (const task of resting) task.notBefore = (task.notBefore as number) + by;
    return resting;
  }

  /** The store was closed, and is open again. */
  restarted(): void {
    this.#apart = undefined;
  }

  /** The next moment at which time alone changes something. */
  get earliestWake(): number | null {
    const moments = this.messages.flatMap((message) => momentsOf(message));
    return moments.length === 0 ? null : Math.min(...moments);
  }

  #perform(command: StoreCommand, scene: Scene): Answer {
    switch (command.op) {
      case "send":
        return this.#send(command, scene);
      case "change":
        return { message: this.#change(command, scene) };
      case "claim_next":
        return { message: this.#claimNext(command, scene) };
      default:
        this.#happen(command, scene);
        return { message: null };
    }
  }

  #send({ said, key }: Send, scene: Scene): Answer {
    if (!isPossible(said)) throw new Refused("not_a_task");
    const [place, body] = [`${said.from_claude}/${key}`, JSON.stringify(said)];
    const known = key === undefined ? undefined : this.#keys.get(place);
    if (known && known.body !== body) throw new Refused("idempotency_conflict");
    const awaited = known ? [] : (said.after ?? []).map((id) => this.#find(id));
    if (known) return { message: known.message, deduplicated: true, erased: !this.messages.includes(known.message) };
    const message = newMessage(said, scene.now, this.#chainOf(said));
    message.origin = this.messages.find(({ id }) => id === (said.parent_id ?? said.reply_to));
    this.messages.push(message);
    this.#expectReaders(message);
    if (key !== undefined) this.#keys.set(place, { body, message });
    scene.tell("new", message);
    const doom = awaited.find(({ status }) => status === "failed");
    for (const one of awaited) if (!isOver(one)) message.awaits.add(one);
    wait(message, scene.now);
    return { message: doom ? dooms(doom, message, scene) : message, deduplicated: false };
  }

  #expectReaders({ said, receipts }: ModelMessage): void {
    if (said.to_claude !== "*") return;
    for (const name of this.#known) if (name !== said.from_claude) receipts.set(name, {});
  }

  /** At the end of a batch: whoever waits for what is over goes on, or fails. */
  settle(now: number): Told[] {
    const scene = new Scene(now, this.#durations);
    for (let before = -1; before !== scene.events.length; ) {
      before = scene.events.length;
      for (const message of this.messages) if (message.status === "pending") this.#settle(message, scene);
    }
    return scene.events;
  }

  #settle(message: ModelMessage, scene: Scene): void {
    for (const awaited of message.awaits) {
      if (this.#isInVain(awaited)) return void dooms(awaited, message, scene);
      if (awaited.status !== "complete") continue;
      message.awaits.delete(awaited);
      if (wait(message, scene.now).ready) scene.tell("ready", message);
    }
  }

  /** Why a task that failed by what it waits for may have failed: which one ended first is the store's to say. */
  reasonsOf({ awaits }: ModelMessage): string[] {
    return [...awaits].filter((awaited) => this.#isInVain(awaited)).map(doomedBy);
  }

  /** What was complete before it went stays so. */
  #isInVain(awaited: ModelMessage): boolean {
    return awaited.status === "failed" || (awaited.status !== "complete" && !this.messages.includes(awaited));
  }

  /** An answer, or a part, is one hop further than what it goes on with; of two, than the one that has come further. */
  #chainOf({ reply_to, parent_id }: Send["said"]): ModelMessage["chain"] {
    const before = [reply_to, parent_id].flatMap((id) => this.messages.find((message) => message.id === id) ?? []);
    const chains = before.map(({ id, chain }) => ({ id: chain?.id ?? id, hops: (chain?.hops ?? 0) + 1 }));
    return chains.sort((a, b) => b.hops - a.hops)[0];
  }

  #change({ id, command, caller }: StoreCommandOf<"change">, scene: Scene): ModelMessage {
    const message = this.#find(id);
    const step = stepOf(message, command, caller);
    if (step) return changeReceipt(message, step, command, caller, scene);
    if (command.op === "seen") return this.#see(message, caller, scene);
    if (!message.isTask) return changeChat(message, command, caller, scene);
    if (command.op === "retry" && message.status === "failed") this.#awaitAgain(message);
    try {
      return changeTask(message, command, caller, scene);
    } catch (error) {
      const isTooLate = error instanceof Refused && (error.code === "lease_lost" || error.code === "wrong_status");
      if (isTooLate && isAnsweredAfterwards(message, command, caller, scene)) return message;
      throw error;
    }
  }

  #awaitAgain(message: ModelMessage): void {
    const awaited = this.messages.filter(({ id }) => message.said.after?.includes(id));
    if (awaited.some(({ status }) => status === "failed")) throw new Refused("wrong_status");
    message.awaits = new Set(awaited.filter((one) => !isOver(one)));
  }

  #see(message: ModelMessage, { claude_id }: StoreCommandOf<"change">["caller"], scene: Scene): ModelMessage {
    const { to_claude } = message.said;
    if (to_claude === "*" || (claude_id ?? to_claude) !== to_claude) throw new Refused("not_recipient");
    if (message.seen !== undefined) return message;
    message.seen = scene.now;
    message.delivered ??= scene.now;
    return scene.tell("seen", message);
  }

  #claimNext({ caller, queues, claim_key: key }: StoreCommandOf<"claim_next">, scene: Scene): ModelMessage | null {
    const claude_id = caller.claude_id ?? (queues[0] as string);
    const own = this.#held({ claude_id, run: caller.run });
    const before = own.find(({ claimKey }) => key && claimKey === key);
    if (before) return before;
    const rank = ({ created, said }: ModelMessage) => created - HEAD_START_MIN[said.priority ?? "normal"] * 60_000;
    const waiting = this.messages.filter((task) => task.ready && queues.includes(task.said.to_claude));
    for (const next of waiting.sort((a, b) => rank(a) - rank(b))) {
      if (!hasExpired(next, scene))
        return claim(next, key, { ...caller, claude_id: caller.claude_id ?? next.said.to_claude }, scene);
      taskIsDue(next, scene);
    }
    return null;
  }

  /** What answers nothing. */
  #happen(command: StoreCommand, scene: Scene): void {
    if (command.op === "delete") this.#delete(this.#find(command.id), scene);
    else if (command.op === "delivered") for (const id of command.ids) this.#deliver(id, command.reader, scene);
    else if (command.op === "wake") this.#wake(scene);
    else if (command.op === "prune") this.#prune(command, scene);
    else if (command.op === "presence") for (const { claude_id } of command.transitions) this.#known.add(claude_id);
    else this.#moveLeases(command, scene);
  }

  #moveLeases(command: StoreCommand, { now }: Scene): void {
    if (command.op === "lapse") {
      for (const task of this.#held(command.holder))
        if (task.holder?.run) task.lease = Math.max(task.lease ?? now + command.forMs, task.extended ?? 0);
    } else if (command.op === "keep") {
      for (const task of this.#held(command.holder)) task.lease = null;
    } else if (command.op === "lengthen") {
      const held = this.#held({ claude_id: command.claude_id, run: null });
      for (const task of held) task.lease = Math.max(task.lease as number, now + command.forMs, task.extended ?? 0);
    }
  }

  #find(id: string): ModelMessage {
    const found = this.messages.find((message) => message.id === id);
    if (!found) throw new Refused("not_found");
    return found;
  }

  /** Tasks in progress of a holder; without one, of all. */
  #held(of?: { claude_id: string; run: string | null }): ModelMessage[] {
    const held = this.messages.filter(({ isTask, status }) => isTask && status === "in_progress");
    return of ? held.filter(({ holder }) => holder?.name === of.claude_id && holder?.run === of.run) : held;
  }

  #delete(message: ModelMessage, scene: Scene): void {
    this.messages.splice(this.messages.indexOf(message), 1);
    scene.tell("deleted", message);
  }

  /** What ended before its cut-off goes, as if it were deleted. */
  #prune({ complete_before, failed_before }: StoreCommandOf<"prune">, scene: Scene): void {
    const before = { complete: complete_before ?? 0, failed: failed_before ?? 0, pending: 0, in_progress: 0 };
    const gone = this.messages.filter(({ status, completed }) => (completed ?? scene.now) < before[status]);
    for (const message of gone) this.#delete(message, scene);
  }

  #deliver(id: string, reader: string, scene: Scene): void {
    const message = this.messages.find((one) => one.id === id);
    if (message?.said.to_claude === "*") deliverTo(message, reader, scene);
    else if (message?.said.to_claude === reader && message.status === "pending" && message.delivered === undefined) {
      message.delivered = scene.now;
      scene.tell("delivered", message);
    }
  }

  #wake(scene: Scene): void {
    const due = this.messages.filter((message) => momentsOf(message).some((moment) => moment <= scene.now));
    for (const message of due) (message.isTask ? taskIsDue : chatIsDue)(message, scene);
  }
}
