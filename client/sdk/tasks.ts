/**
 * Results of sent messages, out of the events that tell of them. State is read only where the end may have passed
 * unnoticed: the stream began later, was lost, or does not show that message.
 */
import { type Event, fold, HubError, type Message, type Page, type Params, type Result } from "../../shared/index.ts";
import { type Clock, sleep } from "./clock.ts";
import { TaskFailed } from "./errors.ts";
import { Finals, isFinal } from "./finals.ts";

/** Somebody waits for the end of a message. */
interface Wait {
  readonly message: Message;
  readonly result: Promise<Message>;
  readonly resolve: (message: Message) => void;
  readonly reject: (error: Error) => void;
}

type Call = <N extends "get" | "events">(operation: N, params: Params<N>) => Promise<Result<N>>;

const AGAIN_MS = 1_000;
const FOLLOW_MS = 25_000;

export class Tasks {
  readonly #call: Call;
  readonly #clock: Clock;
  readonly #shows: (message: Message) => boolean;
  readonly #onInterest: (interested: boolean) => void;
  readonly #finals = new Finals();
  readonly #waits = new Map<string, Wait>();
  #ended: Error | undefined;
  /** Rises whenever the stream lost its continuity. */
  era = 0;

  /**
   * @param shows whether the stream tells of a message.
   * @param onInterest is called when the first wait begins or the last one ends.
   */
  constructor(
    call: Call,
    clock: Clock,
    shows: (message: Message) => boolean,
    onInterest: (interested: boolean) => void,
  ) {
    this.#call = call;
    this.#clock = clock;
    this.#shows = shows;
    this.#onInterest = onInterest;
  }

  get waiting(): number {
    return this.#waits.size;
  }

  /**
   * @param era the era in which the message was read.
   * @throws TaskFailed when it failed, was cancelled or was deleted; what `end` was given.
   */
  result(message: Message, era: number): Promise<Message> {
    const known = this.#waits.get(message.id);
    if (known) return known.result;
    const wait = newWait(message);
    if (ends(message)) {
      conclude(wait, message);
      return wait.result;
    }
    if (this.#ended) wait.reject(this.#ended);
    else this.#begin(wait, era);
    return wait.result;
  }

  readonly observe = (event: Event): void => {
    if (!isFinal(event)) return;
    this.#finals.add(event);
    const wait = this.#waits.get(event.message.id);
    if (wait) this.#end(wait, event);
  };

  /** The stream begins here. */
  begin(cursor: string): void {
    this.#finals.begin(cursor);
  }

  /** The stream does not tell of ends until it begins again: nobody waits for any. */
  pause(): void {
    this.#finals.pause();
  }

  /** The stream lost its continuity and goes on here: what ended meanwhile is read. */
  restart(cursor: string): void {
    this.era++;
    this.begin(cursor);
    for (const wait of this.#waits.values()) void this.#read(wait);
  }

  end(error: Error): void {
    this.#ended = error;
    if (this.#waits.size === 0) return;
    for (const wait of this.#waits.values()) wait.reject(error);
    this.#waits.clear();
    this.#onInterest(false);
  }

  #begin(wait: Wait, era: number): void {
    const { message } = wait;
    this.#waits.set(message.id, wait);
    if (this.#waits.size === 1) this.#onInterest(true);
    if (!this.#shows(message)) void this.#follow(wait);
    else if (era !== this.era || this.#finals.mayHaveEnded(message.id, message.seq)) void this.#read(wait);
  }

  #end(wait: Wait, event: Event): void {
    const message = event.message.erased ? undefined : fold(wait.message, event);
    this.#conclude(wait, message ?? { ...wait.message, erased: true });
  }

  #conclude(wait: Wait, message: Message): void {
    this.#waits.delete(message.id);
    conclude(wait, message);
    if (this.#waits.size === 0) this.#onInterest(false);
  }

  /** Reads how a message stands; while that fails, again and again. */
  async #read(wait: Wait): Promise<void> {
    const { id } = wait.message;
    try {
      const message = await this.#call("get", { id });
      if (ends(message) && this.#isOpen(wait)) this.#conclude(wait, message);
    } catch (error) {
      if (!this.#isOpen(wait)) return;
      if (isNotFound(error)) this.#conclude(wait, { ...wait.message, erased: true });
      else this.#clock.after(AGAIN_MS, () => this.#isOpen(wait) && void this.#read(wait));
    }
  }

  /** Follows the events of another sender, until one ends the message. */
  async #follow(wait: Wait): Promise<void> {
    const reader = { for: wait.message.from_claude };
    let after: string | undefined;
    while (this.#isOpen(wait)) {
      const page = await this.#page(after === undefined ? reader : { ...reader, after, wait_ms: FOLLOW_MS });
      const ended = page?.events.some((event) => isFinal(event) && event.message.id === wait.message.id);
      if (ended || after === undefined || !page) await this.#read(wait);
      after = page?.cursor;
    }
  }

  async #page(params: Params<"events">): Promise<Page | undefined> {
    try {
      return await this.#call("events", params);
    } catch {
      await sleep(this.#clock, AGAIN_MS);
      return undefined;
    }
  }

  #isOpen(wait: Wait): boolean {
    return this.#waits.get(wait.message.id) === wait;
  }
}

function newWait(message: Message): Wait {
  const { promise: result, resolve, reject } = withResolvers<Message>();
  return { message, result, resolve, reject };
}

function conclude(wait: Wait, message: Message): void {
  if (message.erased) wait.reject(new TaskFailed(message, "the message was deleted"));
  else if (message.status === "failed") wait.reject(new TaskFailed(message));
  else wait.resolve(message);
}

const ends = (message: Message) =>
  message.erased === true || message.status === "complete" || message.status === "failed";

const isNotFound = (error: unknown) => error instanceof HubError && error.code === "not_found";

function withResolvers<T>() {
  let resolve!: (value: T) => void;
  let reject!: (error: Error) => void;
  const promise = new Promise<T>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}
