/** A store under test: commands said in short, answers parsed, and a clock that the test holds. */
import { momentOf } from "../../../server/clock.ts";
import type { Command } from "../../../server/core/commands.ts";
import type { NewMessage } from "../../../server/core/create.ts";
import type { Caller, LeasePolicy } from "../../../server/core/message.ts";
import type { Reader } from "../../../server/core/view.ts";
import type { Done, DoneOf, OutcomeOf, Refused } from "../../../server/store/outcomes.ts";
import type { CommitResult, ListFilter, LogEntry, Store } from "../../../server/store/store.ts";
import type { StoreCommand, StoreCommandOf } from "../../../server/store/storeCommands.ts";
import { HubError } from "../../../shared/errors.ts";
import type { Event } from "../../../shared/event.ts";
import type { Bounds } from "../../../shared/limits.ts";
import type { Message } from "../../../shared/message.ts";
import { ManualClock } from "../../support/clock.ts";
import { claim, complete, fail, failRetryable, NOW, name, release } from "../core/support.ts";

type Change = Exclude<Command, { op: "wake" }>;

/** What a message is made of here, when a test does not care. */
export type Said = Partial<NewMessage> & { to_claude: string };

/** Makes a store over nothing, or over what an earlier one left in `file`. */
export type MakeStore = (lease: LeasePolicy, file?: string, bounds?: Bounds) => Store;

/** One section of the conformance suite; `hub()` is its store. */
export type Section = (hub: () => StoreDriver) => void;

export class StoreDriver {
  readonly store: Store;
  readonly clock: ManualClock;
  /** Everything that was committed through this driver, as it went out to readers. */
  readonly live: LogEntry[] = [];
  /** When the store wants to be woken, as of the last commit. */
  wakeAt: number | null = null;
  opened!: Awaited<ReturnType<Store["open"]>>;
  #names = 0;

  constructor(store: Store, clock = new ManualClock(NOW)) {
    this.store = store;
    this.clock = clock;
  }

  async open(): Promise<this> {
    this.opened = await this.store.open(this.now);
    return this;
  }

  close(): Promise<void> {
    return this.store.close();
  }

  get now(): number {
    return this.clock.now();
  }

  /** The position of the log's last entry. */
  get head(): number {
    return this.live.at(-1)?.seq ?? this.opened.position.head;
  }

  /** A name that nobody else has in this store. */
  newName(like: string): string {
    return `${like}${++this.#names}`;
  }

  /** Commits one batch. */
  async commit(...commands: StoreCommand[]): Promise<CommitResult> {
    const result = await this.store.commit(commands, momentOf(this.clock));
    this.live.push(...result.entries);
    this.wakeAt = result.wakeAt;
    return result;
  }

  /** Commits one command. @throws HubError when it is refused. */
  async outcome<Op extends StoreCommand["op"]>(command: StoreCommandOf<Op>): Promise<DoneOf<Op>> {
    const { outcomes } = await this.commit(command);
    return accepted(outcomes[0] as OutcomeOf<Op>);
  }

  /** Commits one command and tells the message after it. @throws HubError when it is refused. */
  async do(command: StoreCommand): Promise<Message> {
    return JSON.parse((await this.outcome(command)).json as string);
  }

  send(said: Said, key?: string): Promise<Message> {
    return this.do(sending(said, key));
  }

  change({ id }: { id: string }, command: Change, caller: Caller): Promise<Message> {
    return this.do({ op: "change", id, caller, command });
  }

  claim(message: { id: string }, by: Caller, key?: string): Promise<Message> {
    return this.change(message, claim(key), by);
  }

  async claimNext(by: Caller, for_claude = by.claude_id as string, claim_key?: string): Promise<Message | null> {
    const { json } = await this.outcome({ op: "claim_next", caller: by, queues: [for_claude], claim_key });
    return json === null ? null : JSON.parse(json);
  }

  complete(held: Message, by: Caller, result?: string): Promise<Message> {
    return this.change(held, complete(held.attempt, result), by);
  }

  fail(held: Message, by: Caller, error?: string): Promise<Message> {
    return this.change(held, fail(held.attempt, error), by);
  }

  failRetryable(held: Message, by: Caller): Promise<Message> {
    return this.change(held, failRetryable(held.attempt), by);
  }

  release(held: Message, by: Caller): Promise<Message> {
    return this.change(held, release(held.attempt), by);
  }

  async delete({ id }: { id: string }, by = name("boss")): Promise<void> {
    await this.outcome({ op: "delete", id, caller: by });
  }

  /** Time has come for whatever is due. */
  wake(): Promise<CommitResult> {
    return this.commit({ op: "wake" });
  }

  async get({ id }: { id: string }): Promise<Message | null> {
    const json = await this.store.get(id, this.now);
    return json === null ? null : JSON.parse(json);
  }

  /** One list, as many messages as one holds. */
  async list(filter: Partial<ListFilter> = {}) {
    const { messages, next, seq } = await this.store.list({ order: "asc", limit: 500, offset: 0, ...filter }, this.now);
    return { messages: messages.map((json): Message => JSON.parse(json)), next, seq };
  }

  /** Every message that matches, page after page. */
  async all(filter: Partial<ListFilter> = {}): Promise<Message[]> {
    const found: Message[] = [];
    for (let next: string | null | undefined; next !== null; ) {
      const page: Awaited<ReturnType<StoreDriver["list"]>> = await this.list({ ...filter, ...(next && { next }) });
      found.push(...page.messages);
      next = page.next;
    }
    return found;
  }

  /** The log past `after` as a reader sees it, in one read. */
  log(reader: Reader, after = 0, maxEvents = 10_000, maxBytes = 2 ** 30) {
    return this.store.log(reader, after, maxEvents, maxBytes);
  }

  async events(reader: Reader, after = 0): Promise<Event[]> {
    return (await this.log(reader, after)).entries.map(parsed);
  }

  /** Everything that happened to one message. */
  async eventsOf({ id }: { id: string }): Promise<Event[]> {
    return (await this.events(null)).filter(({ message }) => message.id === id);
  }
}

export const parsed = ({ json }: LogEntry): Event => JSON.parse(json);

export const sending = (
  { from_claude = "boss", task = "scrape", ...said }: Said,
  key?: string,
): StoreCommandOf<"send"> => ({
  op: "send",
  said: { from_claude, task, ...said },
  key,
});

/** @throws HubError when the command was refused. */
function accepted<D extends Done>(outcome: D | Refused): D {
  if (!outcome.ok) throw HubError.fromWire(outcome.error);
  return outcome;
}
