/**
 * The whole log, read from its beginning as an observer, and held against the rules that every log keeps: contiguous
 * seqs (I2), a message made once (I8), rising attempts with one holder each and one completion (I6). Folding its events
 * gives the state that the hub must show (I5).
 */
import type { Event, EventKind, Page } from "../../../shared/event.ts";
import { fold } from "../../../shared/fold.ts";
import { LIMITS } from "../../../shared/limits.ts";
import type { Message } from "../../../shared/message.ts";
import { http } from "../../support/http.ts";

/** A change that the hub has acknowledged to a client. */
export interface Acknowledged {
  kind: EventKind;
  id: string;
  attempt?: number | undefined;
  /** The text that the event must carry: of `new` the task, of `completed` the result. */
  text?: string | undefined;
}

export class LogChecker {
  /** Every event so far; `events[i]` has seq i + 1. */
  readonly events: Event[] = [];
  /** The messages as the events tell of them. */
  readonly messages = new Map<string, Message>();
  /** Every broken rule, as a sentence. */
  readonly broken: string[] = [];
  readonly #madeOf = new Map<string, string>();
  readonly #attempts = new Map<string, number>();
  readonly #told = new Map<string, Event>();
  #cursor = "start";

  get cursor(): string {
    return this.#cursor;
  }

  /** Reads from where it stands to the head. */
  async readOn(url: string): Promise<void> {
    for (;;) {
      const { status, body } = await http(`${url}/events?after=${this.#cursor}&limit=${LIMITS.page_events}`);
      if (status !== 200) throw new Error(`the log cannot be read on from ${this.#cursor}: ${JSON.stringify(body)}`);
      const page = body.data as Page;
      if (this.#cursor !== "start" && page.after !== this.#cursor) this.broken.push(`a page begins at ${page.after}`);
      for (const event of page.events) this.#take(event);
      this.#cursor = page.cursor;
      if (page.events.length === 0) return;
    }
  }

  /** Reads on. @returns whether every task has come to its end. */
  async isWorkedOff(url: string): Promise<boolean> {
    await this.readOn(url);
    return [...this.messages.values()].every(({ type, status }) => type === "chat" || status === "complete");
  }

  /** What one instance may see of it. */
  seenBy(name: string): Event[] {
    return this.events.filter(({ message: { from_claude, to_claude } }) => [from_claude, to_claude].includes(name));
  }

  /** Of what was acknowledged, whatever the log does not tell of. */
  missing(acknowledged: readonly Acknowledged[]): Acknowledged[] {
    return acknowledged.filter(({ kind, id, attempt, text }) => {
      const event = this.#told.get(keyOf(kind, id, attempt));
      return !event || (text !== undefined && saidIn(event) !== text);
    });
  }

  /** How the messages that the hub shows differ from those that the events make. */
  async differences(url: string): Promise<string[]> {
    const shown = new Map((await readMessages(url)).map((message) => [message.id, settled(message)]));
    const made = new Map([...this.messages].map(([id, message]) => [id, settled(message)]));
    return [...new Set([...shown.keys(), ...made.keys()])]
      .filter((id) => shown.get(id) !== made.get(id))
      .map((id) => `shown ${shown.get(id)}, made of events ${made.get(id)}`);
  }

  #take(event: Event): void {
    const { seq, kind, message } = event;
    if (seq !== this.events.length + 1) this.broken.push(`seq ${seq} follows ${this.events.length}`);
    this.events.push(event);
    this.#told.set(keyOf(kind, message.id, message.attempt), event);
    if (kind === "new") this.#takeNew(event);
    if (kind === "claimed") this.#takeClaim(event);
    const before = this.messages.get(message.id);
    if (kind === "completed" && before?.status === "complete") this.broken.push(`${message.id} was completed twice`);
    const after = fold(before, event);
    if (after) this.messages.set(message.id, after);
    else this.messages.delete(message.id);
  }

  /** Loads give every message a text of its own, so that one made twice shows. */
  #takeNew({ message: { id, task = "" } }: Event): void {
    if (this.#madeOf.has(task)) this.broken.push(`"${task}" was sent once and made twice`);
    this.#madeOf.set(task, id);
  }

  #takeClaim({ message: { id, attempt = 0 } }: Event): void {
    const before = this.#attempts.get(id) ?? 0;
    if (attempt !== before + 1) this.broken.push(`attempt ${attempt} of ${id} follows ${before}`);
    if (this.messages.get(id)?.status !== "pending") this.broken.push(`${id} was claimed while it was not pending`);
    this.#attempts.set(id, attempt);
  }
}

/** Events as one text, so that a difference is found fast, and shown where it begins. */
export const textOf = (events: readonly Event[]) => events.map((event) => JSON.stringify(event)).join("\n");

/** Every message that the hub shows, oldest first. */
async function readMessages(url: string): Promise<Message[]> {
  const messages: Message[] = [];
  let next: string | undefined;
  do {
    const { body } = await http(
      `${url}/messages?limit=${LIMITS.list_messages}${next ? `&next=${encodeURIComponent(next)}` : ""}`,
    );
    messages.push(...body.data);
    next = body.next;
  } while (next !== undefined);
  return messages;
}

/** A claim that was made of something pending has no event of its own kind: attempt 0 stands for none. */
const keyOf = (kind: EventKind, id: string, attempt = 0) => `${kind} ${id} ${kind === "new" ? 0 : attempt}`;

const saidIn = ({ kind, message }: Event) => (kind === "new" ? message.task : message.result);

/** A message as text, without `lease_until`, which the hub moves silently, its fields in one order. */
function settled({ lease_until: _, ...message }: Message): string {
  return JSON.stringify(Object.entries(message).sort(([a], [b]) => (a < b ? -1 : 1)));
}
