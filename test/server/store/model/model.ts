/**
 * The hub's messages as the design describes them, in the plainest way: an array of objects, and a rule for each
 * command. Written without a look at the core, against which it is held.
 */
import type { StoreCommand } from "../../../../server/store/store.ts";
import type { ErrorCode } from "../../../../shared/errors.ts";
import { changeChat, chatIsDue } from "./chat.ts";
import {
  type Durations,
  type ModelMessage,
  momentsOf,
  newMessage,
  Refused,
  Scene,
  type Send,
  type Told,
} from "./message.ts";
import { changeTask, claim, taskIsDue } from "./task.ts";

/** What a command is expected to answer. */
interface Answer {
  message: ModelMessage | null;
  deduplicated?: boolean;
  erased?: boolean;
}

/** What a command is expected to do. */
export type Verdict = (Answer & { ok: true; events: Told[] }) | { ok: false; code: ErrorCode };

type CommandOf<Op extends StoreCommand["op"]> = Extract<StoreCommand, { op: Op }>;

const HEAD_START_MIN = { low: -10, normal: 0, high: 10, urgent: 60 };

export class Model {
  readonly messages: ModelMessage[] = [];
  readonly #keys = new Map<string, { body: string; message: ModelMessage }>();
  readonly #durations: Durations;

  constructor(durations: Durations) {
    this.#durations = durations;
  }

  /** What a command does at a moment. */
  apply(command: StoreCommand, now: number): Verdict {
    const scene = new Scene(now, this.#durations);
    try {
      return { ok: true, ...this.#perform(command, scene), events: scene.events };
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
    if (said.type !== "chat" && said.to_claude === "*") throw new Refused("not_a_task");
    const [place, body] = [`${said.from_claude}/${key}`, JSON.stringify(said)];
    const known = key === undefined ? undefined : this.#keys.get(place);
    if (known && known.body !== body) throw new Refused("idempotency_conflict");
    if (known) return { message: known.message, deduplicated: true, erased: !this.messages.includes(known.message) };
    const message = newMessage(said, scene.now);
    this.messages.push(message);
    if (key !== undefined) this.#keys.set(place, { body, message });
    return { message: scene.tell("new", message), deduplicated: false };
  }

  #change({ id, command, caller }: CommandOf<"change">, scene: Scene): ModelMessage {
    const message = this.#find(id);
    return (message.isTask ? changeTask : changeChat)(message, command, caller, scene);
  }

  #claimNext({ caller, for_claude, claim_key: key }: CommandOf<"claim_next">, scene: Scene): ModelMessage | null {
    const own = this.#held({ claude_id: caller.claude_id ?? for_claude, run: caller.run });
    const before = own.find(({ claimKey }) => key && claimKey === key);
    if (before) return before;
    const waiting = this.messages.filter((task) => task.ready && task.said.to_claude === for_claude);
    const rank = ({ created, said }: ModelMessage) => created - HEAD_START_MIN[said.priority ?? "normal"] * 60_000;
    const [next] = waiting.sort((a, b) => rank(a) - rank(b));
    return next ? claim(next, key, { ...caller, claude_id: caller.claude_id ?? for_claude }, scene) : null;
  }

  /** What answers nothing. */
  #happen(command: StoreCommand, scene: Scene): void {
    if (command.op === "delete") this.#delete(this.#find(command.id), scene);
    else if (command.op === "delivered") for (const id of command.ids) this.#deliver(id, scene);
    else if (command.op === "wake") this.#wake(scene);
    else if (command.op === "prune") this.#prune(command, scene);
    else this.#moveLeases(command);
  }

  #moveLeases(command: StoreCommand): void {
    if (command.op === "lapse") {
      for (const task of this.#held(command.holder)) if (task.holder?.run) task.lease ??= command.until;
    } else if (command.op === "keep") {
      for (const task of this.#held(command.holder)) task.lease = null;
    } else if (command.op === "lengthen") {
      const held = this.#held({ claude_id: command.claude_id, run: null });
      for (const task of held) task.lease = Math.max(task.lease as number, command.until);
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
  #prune({ complete_before, failed_before }: CommandOf<"prune">, scene: Scene): void {
    const before = { complete: complete_before ?? 0, failed: failed_before ?? 0, pending: 0, in_progress: 0 };
    const gone = this.messages.filter(({ status, completed }) => (completed ?? scene.now) < before[status]);
    for (const message of gone) this.#delete(message, scene);
  }

  #deliver(id: string, scene: Scene): void {
    const message = this.messages.find((one) => one.id === id);
    if (message?.status !== "pending" || message.delivered !== undefined) return;
    message.delivered = scene.now;
    scene.tell("delivered", message);
  }

  #wake(scene: Scene): void {
    const due = this.messages.filter((message) => momentsOf(message).some((moment) => moment <= scene.now));
    for (const message of due) (message.isTask ? taskIsDue : chatIsDue)(message, scene);
  }
}
