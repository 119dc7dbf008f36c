/**
 * Waits for what becomes of messages: for a rung, or for their end. Events tell of it. State is read only where it may
 * have come so far unnoticed: the stream began later, was lost, or does not show that message; and rungs before the end
 * are not remembered.
 */
import {
  ANYTHING,
  EVERYONE,
  type Event,
  isRefusal,
  type Message,
  MILLISECONDS,
  type OptionRules,
} from "../../../shared/index.ts";
import type { Caller } from "../calls/insist.ts";
import { ChurnMap } from "../churn.ts";
import { sleep } from "../clock.ts";
import { CallTimeout, TaskFailed } from "../errors.ts";
import { followLog } from "../events/followLog.ts";
import { Finals, isFinal } from "./finals.ts";
import { advance, HAS_REACHED, hasEnded, mayReach, type Rung, withFirst } from "./rungs.ts";

type Goal = Rung | "end";

export interface WaitOptions {
  /** How long to wait, in milliseconds. As long as it takes. */
  timeout_ms?: number;
  /** Ends the waiting. */
  signal?: AbortSignal;
}

export const WAIT_RULES: OptionRules<WaitOptions> = { timeout_ms: MILLISECONDS, signal: ANYTHING };

/** Somebody waits for a message to come so far. */
interface Wait {
  readonly goal: Goal;
  /** As far as is known. */
  message: Message;
  /** How often it was asked to be read since the reading that is under way began, that one included. */
  readings: number;
  /** Ends the following of another's log. */
  unfollow: (() => void) | undefined;
  /** Unbinds it from its signal and its timer. */
  unbind: (() => void) | undefined;
  readonly resolve: (message: Message) => void;
  readonly reject: (error: unknown) => void;
}

const AGAIN_MS = 1_000;

interface WaitsPorts {
  /** Whether the stream tells of a message. */
  shows(message: Message): boolean;
  /** The first wait begins, or the last one ends. */
  onInterest(isWaiting: boolean): void;
  /** A rung before the end is waited for, for the first time. */
  onRungs(): void;
}

export class Waits {
  readonly #caller: Caller;
  readonly #ports: WaitsPorts;
  readonly #finals = new Finals();
  /** By the message's id. */
  readonly #waits = new ChurnMap<string, Set<Wait>>();
  #ended: Error | undefined;
  /** Whether rungs before the end were ever waited for. */
  tracksRungs = false;
  /** Rises whenever the stream lost its continuity. */
  generation = 0;

  constructor(caller: Caller, ports: WaitsPorts) {
    this.#caller = caller;
    this.#ports = ports;
  }

  get any(): boolean {
    return this.#waits.size > 0;
  }

  /**
   * @param generation the generation of the stream in which the message was read.
   * @throws TaskFailed when it ended otherwise, or was deleted; what `end` was given; what `options` ask for.
   */
  until(message: Message, goal: Goal, generation: number, options: WaitOptions = {}): Promise<Message> {
    return new Promise((resolve, reject) => {
      const wait: Wait = { goal, message, readings: 0, unfollow: undefined, unbind: undefined, resolve, reject };
      if (isSettled(wait)) return;
      if (this.#ended) return reject(this.#ended);
      if (options.signal?.aborted) return reject(options.signal.reason);
      wait.unbind = this.#bound(wait, options);
      this.#begin(wait, generation);
    });
  }

  /** Lets a wait end early. @returns what takes that back. */
  #bound(wait: Wait, { timeout_ms, signal }: WaitOptions): (() => void) | undefined {
    if (timeout_ms === undefined && !signal) return undefined;
    const abort = () => this.#giveUp(wait, signal?.reason);
    const late = () => this.#giveUp(wait, CallTimeout.of(wait.goal, timeout_ms as number));
    signal?.addEventListener("abort", abort);
    const disarm = timeout_ms === undefined ? () => {} : this.#caller.clock.after(timeout_ms, late);
    return () => {
      disarm();
      signal?.removeEventListener("abort", abort);
    };
  }

  readonly observe = (event: Event): void => {
    if (isFinal(event)) this.#finals.add(event);
    for (const wait of this.#waits.get(event.message.id) ?? []) {
      if (mayReach(wait.goal, event)) this.#learn(wait, advance(wait.message, event), event.seq);
    }
  };

  /** The stream begins here. */
  begin(cursor: string): void {
    this.#finals.begin(cursor);
  }

  /** The stream does not tell of ends until it begins again: nobody waits for any. */
  pause(): void {
    this.#finals.pause();
  }

  /** The stream lost its continuity and goes on here: what happened meanwhile is read. */
  restart(cursor: string): void {
    this.generation++;
    this.begin(cursor);
    for (const wait of this.#open()) forgetPlace(wait);
    this.look();
  }

  /** Reads how everything that is waited for stands. */
  look(): void {
    for (const wait of this.#open()) void this.#read(wait);
  }

  end(error: Error): void {
    this.#ended = error;
    for (const wait of this.#open()) this.#giveUp(wait, error);
  }

  #begin(wait: Wait, generation: number): void {
    const { message, goal } = wait;
    const waits = this.#waits.get(message.id) ?? new Set();
    this.#waits.set(message.id, waits.add(wait));
    if (this.#waits.size === 1 && waits.size === 1) this.#ports.onInterest(true);
    if (goal !== "end") this.#trackRungs();
    const mayBeThere =
      goal !== "end" || generation !== this.generation || this.#finals.mayHaveEnded(message.id, message.seq);
    if (!this.#ports.shows(message)) this.#follow(wait).catch((error) => this.#giveUp(wait, error));
    else if (mayBeThere) void this.#read(wait);
  }

  /** From now on the stream has to tell of rungs. */
  #trackRungs(): void {
    if (this.tracksRungs) return;
    this.tracksRungs = true;
    this.#ports.onRungs();
  }

  /** @param seq the log entry up to which the message is as given. */
  #learn(wait: Wait, message: Message, seq = message.seq ?? 0): void {
    if (!this.#isOpen(wait) || seq < (wait.message.seq ?? 0)) return;
    wait.message = message;
    if (isSettled(wait)) this.#close(wait);
  }

  #giveUp(wait: Wait, reason: unknown): void {
    this.#close(wait);
    wait.reject(reason);
  }

  #close(wait: Wait): void {
    const { id } = wait.message;
    const waits = this.#waits.get(id);
    if (!waits?.delete(wait)) return;
    wait.unfollow?.();
    wait.unbind?.();
    if (waits.size > 0) return;
    this.#waits.delete(id);
    if (this.#waits.size === 0) this.#ports.onInterest(false);
  }

  /** Has the message read: by one more reading after the one under way, or by a new one. */
  async #read(wait: Wait): Promise<void> {
    if (++wait.readings > 1) return;
    while (wait.readings > 0 && this.#isOpen(wait)) {
      wait.readings = 1;
      if (await this.#readOnce(wait)) wait.readings--;
      else await sleep(this.#caller.clock, AGAIN_MS);
    }
    wait.readings = 0;
  }

  /** @returns whether the hub has answered. */
  async #readOnce(wait: Wait): Promise<boolean> {
    const { id } = wait.message;
    try {
      const message = await this.#caller.call("get", { id });
      const isForAll = wait.goal !== "end" && message.to_claude === EVERYONE;
      const receipts = isForAll ? (await this.#caller.call("receipts", { id })).receipts : [];
      this.#learn(wait, withFirst(message, receipts));
    } catch (error) {
      if (!isRefusal(error, "not_found")) return false;
      this.#learn(wait, { ...wait.message, erased: true });
    }
    return true;
  }

  /** Follows the events of another sender, until one brings the message so far. */
  async #follow(wait: Wait): Promise<void> {
    const { id, from_claude } = wait.message;
    const over = new AbortController();
    wait.unfollow = () => over.abort();
    for await (const { isBeginning, events } of followLog(this.#caller, from_claude, over.signal)) {
      if (isBeginning) forgetPlace(wait);
      const isTold = events.some((event) => event.message.id === id && mayReach(wait.goal, event));
      if (isTold || isBeginning) await this.#read(wait);
      if (!this.#isOpen(wait)) return;
    }
  }

  #isOpen(wait: Wait): boolean {
    return this.#waits.get(wait.message.id)?.has(wait) ?? false;
  }

  /** All of them, as they are now. */
  #open(): readonly Wait[] {
    return [...this.#waits.values()].flatMap((waits) => [...waits]);
  }
}

/** Settles a wait where its message has come so far, or can no longer. */
function isSettled({ goal, message, resolve, reject }: Wait): boolean {
  if (!message.erased && HAS_REACHED[goal](message)) resolve(message);
  else if (hasEnded(message)) reject(new TaskFailed(message, whyNot(goal, message)));
  else return false;
  return true;
}

/** The log may be another one, whose entries are not to be compared with what is known. */
function forgetPlace(wait: Wait): void {
  const { seq: _, ...message } = wait.message;
  wait.message = message;
}

function whyNot(goal: Goal, { erased }: Message): string | undefined {
  if (goal !== "end") return `it ended without being ${goal}`;
  return erased ? "the message was deleted" : undefined;
}
