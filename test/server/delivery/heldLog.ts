/**
 * A real store whose moments are held: when a commit is known, when a read happens and when its answer arrives is
 * for the test to say. What is read and written is the real thing.
 */
import type { Moment } from "../../../server/clock.ts";
import type { Reader } from "../../../server/core/view.ts";
import { Delivery } from "../../../server/delivery/delivery.ts";
import type { LogPage } from "../../../server/delivery/page.ts";
import type { Session, SessionOptions, Window } from "../../../server/delivery/session.ts";
import type { CommitResult, LogEntry, LogSlice } from "../../../server/store/store.ts";
import type { StoreCommand } from "../../../server/store/storeCommands.ts";
import type { EventKind } from "../../../shared/event.ts";
import { MemoryStore } from "../store/memory/memoryStore.ts";

const EPOCH = "0123456789ab";
const DAY_MS = 24 * 60 * 60_000;
/** When everything happens. */
export const START: Moment = { now: 0, awake: 0 };

export const NOBODY = { claude_id: null, run: null, attached: false };

export const chat = (from_claude: string, to_claude: string, task = "text"): StoreCommand => ({
  op: "send",
  said: { from_claude, to_claude, task, type: "chat" },
});

export const complete = (id: string): StoreCommand => ({
  op: "change",
  caller: NOBODY,
  id,
  command: { op: "complete" },
});

interface Settle {
  resolve: (slice: LogSlice) => void;
  reject: (error: Error) => void;
}

/** A read that was asked for. */
class HeldRead {
  slice: LogSlice | undefined;
  readonly #read: () => Promise<LogSlice>;
  readonly #settle: Settle;

  constructor(read: () => Promise<LogSlice>, settle: Settle) {
    this.#read = read;
    this.#settle = settle;
  }

  /** The store looks. */
  async happen(): Promise<void> {
    this.slice = await this.#read();
  }

  /** What it saw arrives, or why it saw nothing. */
  async arrive(): Promise<void> {
    try {
      if (!this.slice) await this.happen();
      this.#settle.resolve(this.slice as LogSlice);
    } catch (error) {
      this.#settle.reject(error as Error);
    }
    await settled();
  }

  async fail(): Promise<void> {
    this.#settle.reject(new Error("the disk is gone"));
    await settled();
  }
}

/** Lets everything that follows from what has happened happen. */
export const settled = () => new Promise<void>((resolve) => setImmediate(resolve));

export class HeldLog {
  readonly store: MemoryStore;
  /** Reads that have not arrived, in the order in which they were asked for. */
  readonly reads: HeldRead[] = [];
  readonly failures: unknown[] = [];
  delivery!: Delivery;
  /** Commits that are durable, but not known to delivery yet. */
  readonly #unannounced: CommitResult[] = [];

  private constructor() {
    const lease = { graceMs: DAY_MS, detachedMs: DAY_MS, backoffMaxMs: DAY_MS };
    let ids = 0;
    this.store = new MemoryStore({ lease, newId: () => `${++ids}`, random: Math.random, epoch: EPOCH });
  }

  /** A log with these entries, of which delivery's tail knows nothing. */
  static async start(commands: readonly StoreCommand[] = []): Promise<HeldLog> {
    const held = new HeldLog();
    const { entries } = await held.store.commit(commands, START);
    held.delivery = new Delivery({
      store: { log: (...query) => held.#hold(() => held.store.log(...query)) },
      epoch: EPOCH,
      head: entries.at(-1)?.seq ?? 0,
      failed: (error) => held.failures.push(error),
    });
    return held;
  }

  /** Makes a batch durable. Delivery learns of it with `announce`. */
  async commit(...commands: StoreCommand[]): Promise<void> {
    this.#unannounced.push(await this.store.commit(commands, START));
  }

  /** Tells delivery of the oldest batch that it does not know. */
  announce(): void {
    this.delivery.committed(this.#unannounced.shift() as CommitResult);
  }

  /** Loses the news of the oldest batch that delivery does not know. */
  lose(): void {
    this.#unannounced.shift();
  }

  get unannounced(): number {
    return this.#unannounced.length;
  }

  async commitAndAnnounce(...commands: StoreCommand[]): Promise<void> {
    await this.commit(...commands);
    this.announce();
  }

  /** Lets everything arrive until nothing is under way. */
  async drain(): Promise<void> {
    while (this.#unannounced.length > 0) this.announce();
    for (let read = this.reads.shift(); read; read = this.reads.shift()) await read.arrive();
  }

  #hold(read: () => Promise<LogSlice>): Promise<LogSlice> {
    return new Promise((resolve, reject) => {
      this.reads.push(new HeldRead(read, { resolve, reject }));
    });
  }
}

type Kinds = readonly EventKind[] | undefined;

const AMPLE: Window = { events: 1_000, bytes: 1_000_000 };

/** A reader that keeps the pages that it is sent, and finds what is wrong with them. */
export class Follower {
  readonly pages: LogPage[] = [];
  readonly problems: string[] = [];
  /** Whether it was told that the log does not go on for it. */
  lost = false;
  readonly session: Session;
  readonly start: number;
  /** What it wants past a seq, the last word last. */
  readonly #wishes: { past: number; kinds: Kinds }[] = [];
  readonly #window: Window;
  readonly #delivery: Delivery;
  #unacknowledged: LogPage[] = [];

  constructor({ delivery }: HeldLog, options: Partial<SessionOptions> & { cursor: number }) {
    this.start = options.cursor;
    this.#wishes.push({ past: this.start, kinds: options.kinds });
    this.#delivery = delivery;
    this.#window = options.window ?? AMPLE;
    const reader: Reader = options.reader ?? null;
    const send = (page: LogPage) => this.#take(page);
    this.session = delivery.open({
      pageEvents: 500,
      receives: false,
      ...options,
      reader,
      window: this.#window,
      send,
      lost: () => {
        this.lost = true;
      },
    });
  }

  get entries(): LogEntry[] {
    return this.pages.flatMap((page) => page.entries);
  }

  get cursor(): number {
    return this.pages.at(-1)?.upTo ?? this.start;
  }

  /** How much is on its way. */
  get underWay(): Window {
    const sum = (of: (page: LogPage) => number) => this.#unacknowledged.reduce((total, page) => total + of(page), 0);
    return { events: sum((page) => page.entries.length), bytes: sum((page) => page.json.length) };
  }

  /** Acknowledges all that came. @returns ids that were delivered by it. */
  ack(cursor = this.cursor): string[] {
    this.#unacknowledged = this.#unacknowledged.filter((page) => page.upTo > cursor);
    return this.#delivery.acknowledge(this.session, cursor);
  }

  /** Acknowledges until nothing is left to be sent. */
  async catchUp(log: HeldLog): Promise<void> {
    for (let i = 0; i < 1_000 && this.session.state !== "live"; i++) {
      await log.drain();
      this.ack();
    }
  }

  /** Wants something else from now on. */
  subscribe(kinds: Kinds): void {
    this.#wishes.push({ past: this.#delivery.subscribe(this.session, { kinds }), kinds });
  }

  wants({ seq, kind }: LogEntry): boolean {
    const { kinds } = this.#wishes.findLast(({ past }) => seq > past) as { kinds: Kinds };
    return !kinds || kinds.includes(kind);
  }

  close(): void {
    this.#delivery.close(this.session);
  }

  #take(page: LogPage): void {
    const { events, bytes } = this.underWay;
    if (page.entries.length > 0 && (events >= this.#window.events || bytes >= this.#window.bytes)) {
      this.problems.push(`page ${page.after}-${page.upTo} exceeds the window: ${events} events, ${bytes} bytes`);
    }
    if (page.after !== this.cursor) this.problems.push(`page ${page.after}-${page.upTo} after ${this.cursor}`);
    if (page.upTo < page.after) this.problems.push(`page ${page.after}-${page.upTo} leads back`);
    if (page.entries.length > this.session?.pageEvents) this.problems.push(`page of ${page.entries.length} events`);
    this.pages.push(page);
    if (page.entries.length > 0) this.#unacknowledged.push(page);
  }
}

/** What a reader past `after` must have been sent, as the store has it now. */
export async function expected({ store }: HeldLog, follower: Follower): Promise<string[]> {
  const { session, start } = follower;
  const { entries } = await store.log(session.reader, start, Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
  return entries.filter((entry) => follower.wants(entry)).map(({ json }) => json);
}
