/**
 * Group commit: commands that arrive while a transaction is under way form the next one. No timer holds
 * one back: alone, a command costs one commit; under load, hundreds share one. Only riders, for which nobody waits, are
 * kept for a later batch.
 *
 * Two batches may be under way, so that the database starts on the next one without waiting to be asked.
 */
import { setImmediate as nextTurn } from "node:timers/promises";
import { HubError, isRefusal, WRITE_ERRORS } from "../../shared/errors.ts";
import { LIMITS } from "../../shared/limits.ts";
import { shuttingDown } from "../../shared/refusals.ts";
import { type Clock, momentOf } from "../clock.ts";
import type { Command } from "../core/commands.ts";
import type { DoneOf, Outcome } from "./outcomes.ts";
import type { CommitResult, Store } from "./store.ts";
import { ASKED, type StoreCommand, type StoreCommandOf } from "./storeCommands.ts";

const BATCH_COMMANDS = 256;
/** Bodies in a batch, in characters: it crosses to the database as one text. */
const BATCH_CHARS = 2 * 2 ** 20;
const BATCHES_UNDER_WAY = 2;
/** How long a rider waits for a batch to ride with. */
const RIDE_MS = 200;
/** Commands waiting for a batch; more are refused, so that nobody's flood fills the memory. */
const QUEUE_COMMANDS = 16 * LIMITS.requests_in_flight;
const QUEUE_CHARS = 128 * BATCH_CHARS;
/** How long a hub that closes works off its queue; what is left was not acknowledged, and is asked again. */
const DRAIN_MS = 1_500;

interface Queued {
  command: StoreCommand;
  /** Of its bodies. */
  chars: number;
  resolve: (done: never) => void;
  reject: (error: Error) => void;
}

/** Whether a refusal is not about the command, which may be repeated unchanged. */
export const mayPass = (error: unknown) => isRefusal(error, ...WRITE_ERRORS, "too_many_requests");

function settle({ resolve, reject }: Queued, outcome: Outcome): void {
  if (outcome.ok) resolve(outcome as never);
  else reject(HubError.fromWire(outcome.error));
}

function charsOf(command: StoreCommand): number {
  if (command.op === "send") return command.said.task.length + (command.said.context?.length ?? 0);
  if (command.op === "schedule_put") return JSON.stringify(command.schedule.message).length;
  if (command.op === "template_send") return JSON.stringify(command.said).length;
  if (command.op === "template_put") return JSON.stringify(command.body).length;
  return command.op === "change" ? textIn(command.command) : 0;
}

/** A result, an error, a reason, a note. */
function textIn(change: Command): number {
  let chars = 0;
  for (const value of Object.values(change)) if (typeof value === "string") chars += value.length;
  return chars;
}

interface GroupCommitOptions {
  store: Pick<Store, "commit">;
  clock: Clock;
  /** Told of every batch once it is durable, before its commands are answered. */
  committed: (result: CommitResult) => void;
  /** Told when it is unknown whether a batch is durable: it may be all the same. */
  failed?: () => void;
}

export class GroupCommit {
  readonly #options: GroupCommitOptions;
  #queue: Queued[] = [];
  #queuedChars = 0;
  #riders: Queued[] = [];
  #cancelRide: (() => void) | undefined;
  #underWay = 0;
  #scheduled = false;
  #idle: (() => void)[] = [];

  constructor(options: GroupCommitOptions) {
    this.#options = options;
  }

  /**
   * Commits one command. Resolves once it is durable.
   *
   * @throws HubError when it is refused, or could not be made durable.
   */
  submit<Op extends StoreCommand["op"]>(command: StoreCommandOf<Op>): Promise<DoneOf<Op>> {
    if (this.#queue.length >= QUEUE_COMMANDS || this.#queuedChars >= QUEUE_CHARS) {
      return Promise.reject(new HubError("too_many_requests", "The hub is overloaded: repeat in a moment"));
    }
    const chars = charsOf(command);
    this.#queuedChars += chars;
    return new Promise((resolve, reject) => {
      this.#queue.push({ command, chars, resolve, reject });
      this.#schedule();
    });
  }

  /** Lets a command ride with the next batch; it starts one of its own only after a while. @throws as `submit` does. */
  ride<Op extends StoreCommand["op"]>(command: StoreCommandOf<Op>): Promise<DoneOf<Op>> {
    return new Promise((resolve, reject) => {
      this.#riders.push({ command, chars: 0, resolve, reject });
      this.#cancelRide ??= this.#options.clock.after(RIDE_MS, () => this.#rideAlone());
    });
  }

  /** Resolves when everything submitted so far is settled, and whatever that led to; what waits too long is refused. */
  async drain(): Promise<void> {
    const cancel = this.#options.clock.after(DRAIN_MS, () => this.#refuseQueued());
    this.#rideAlone();
    while (this.#underWay > 0 || this.#queue.length > 0) {
      await new Promise<void>((resolve) => this.#idle.push(resolve));
      await nextTurn();
      this.#rideAlone();
    }
    cancel();
  }

  #refuseQueued(): void {
    const queue = this.#queue;
    this.#queue = queue.filter(({ command }) => !ASKED.has(command.op));
    for (const { command, chars, reject } of queue) {
      if (!ASKED.has(command.op)) continue;
      this.#queuedChars -= chars;
      reject(shuttingDown());
    }
  }

  #rideAlone(): void {
    this.board();
    this.#schedule();
  }

  /** Queues the riders, before what is submitted next. */
  board(): void {
    this.#queue = this.#queue.concat(this.#riders);
    this.#riders = [];
    this.#cancelRide?.();
    this.#cancelRide = undefined;
  }

  /** Once per turn of the event loop: whatever the sockets brought in that turn shares a batch. */
  #schedule(): void {
    if (this.#scheduled || this.#underWay >= BATCHES_UNDER_WAY) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#start();
    });
  }

  #start(): void {
    if (this.#queue.length > 0 && this.#riders.length > 0) this.board();
    while (this.#queue.length > 0 && this.#underWay < BATCHES_UNDER_WAY) {
      this.#underWay++;
      void this.#run(this.#takeBatch());
    }
  }

  /** As many as a batch holds, and always the first. */
  #takeBatch(): Queued[] {
    const batch: Queued[] = [];
    let chars = 0;
    for (const queued of this.#queue) {
      chars += queued.chars;
      if (batch.length === BATCH_COMMANDS || (batch.length > 0 && chars > BATCH_CHARS)) break;
      batch.push(queued);
      this.#queuedChars -= queued.chars;
    }
    this.#queue = this.#queue.slice(batch.length);
    return batch;
  }

  async #run(batch: Queued[]): Promise<void> {
    const { store, clock, committed, failed } = this.#options;
    try {
      const commands = batch.map(({ command }) => command);
      const result = await store.commit(commands, momentOf(clock));
      committed(result);
      for (let i = 0; i < batch.length; i++) settle(batch[i] as Queued, result.outcomes[i] as Outcome);
    } catch (error) {
      failed?.();
      for (const { reject } of batch) reject(error as Error);
    } finally {
      this.#finish();
    }
  }

  #finish(): void {
    this.#underWay--;
    this.#start();
    if (this.#underWay > 0) return;
    const idle = this.#idle;
    this.#idle = [];
    for (const resolve of idle) resolve();
  }
}
