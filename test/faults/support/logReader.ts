/**
 * A reader of the log over a bare socket: checks that every page begins where the last one ended and that events come in
 * their order, acknowledges, and after a loss comes back with its cursor. It keeps what it read, unless told otherwise.
 */
import { setTimeout } from "node:timers/promises";
import { WebSocket } from "ws";
import type { Event, Page } from "../../../shared/event.ts";
import { type Hello, SUBPROTOCOL, type Welcome } from "../../../shared/frames.ts";
import { defer } from "../../support/defer.ts";

interface Frame {
  id?: number;
  method?: string;
  params?: unknown;
  result?: unknown;
}

const AGAIN_MS = 20;
const PATIENCE_MS = 30_000;

export class LogReader {
  readonly events: Event[] = [];
  /** How many events it has read. */
  count = 0;
  /** Every answer to a hello. */
  readonly welcomes: Welcome[] = [];
  /** What went wrong, as sentences: a gap, a lost cursor. */
  readonly broken: string[] = [];
  cursor: string | undefined;
  /** Acknowledges nothing while it is false. */
  acknowledges = true;
  /** Whether `events` grows. */
  keeps = true;
  #lastSeq = 0;
  readonly #wsUrl: string;
  readonly #hello: Partial<Hello>;
  readonly #looks = new Set<() => void>();
  #socket: WebSocket | undefined;
  #isStopped = false;
  #over: Promise<void> = Promise.resolve();

  private constructor(wsUrl: string, hello: Partial<Hello>) {
    this.#wsUrl = wsUrl;
    this.#hello = hello;
    this.cursor = hello.resume;
  }

  /** Begins to read; stopped when the test ends. Resolves once the hub has welcomed it. */
  static async start(wsUrl: string, hello: Partial<Hello> = {}): Promise<LogReader> {
    const reader = new LogReader(wsUrl, hello);
    defer(() => reader.stop());
    reader.#over = reader.#read();
    await reader.until("a welcome", () => reader.welcomes.length > 0);
    return reader;
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#socket?.terminate();
    await this.#over;
  }

  /** Breaks the line; the reader comes back. */
  cut(): void {
    this.#socket?.terminate();
  }

  /** Stops reading from the line, as a slow client does, until `resume`. */
  pause(): void {
    this.#socket?.pause();
  }

  resume(): void {
    this.#socket?.resume();
  }

  /** Acknowledges what was read. */
  acknowledge(): void {
    if (this.cursor !== undefined) this.#say({ method: "ack", params: { cursor: this.cursor } });
  }

  /** Waits until it stands at a cursor. */
  reaches(cursor: string): Promise<void> {
    return this.until(`cursor ${cursor}`, () => this.cursor === cursor);
  }

  /** Waits until it has so many events. */
  counts(count: number): Promise<void> {
    return this.until(`event ${count}`, () => this.count >= count);
  }

  /** Looks after every frame whether something is so. @throws Error when it is not in time. */
  until(what: string, isSo: () => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = (act: () => void) => {
        clearTimeout(timer);
        this.#looks.delete(look);
        act();
      };
      const look = () => isSo() && settle(resolve);
      const late = () => settle(() => reject(new Error(`${what} did not come; the reader is at ${this.cursor}`)));
      const timer = globalThis.setTimeout(late, PATIENCE_MS);
      this.#looks.add(look);
      look();
    });
  }

  async #read(): Promise<void> {
    while (!this.#isStopped) {
      await this.#session();
      if (!this.#isStopped) await setTimeout(AGAIN_MS);
    }
  }

  /** One line, from its beginning to its end. */
  #session(): Promise<void> {
    const socket = new WebSocket(this.#wsUrl, SUBPROTOCOL, { perMessageDeflate: false });
    this.#socket = socket;
    socket.on("error", () => {}).on("message", (data) => this.#take(data.toString()));
    socket.on("open", () => {
      const resume = this.cursor === undefined ? {} : { resume: this.cursor };
      this.#say({
        id: 0,
        method: "hello",
        params: { client: { name: "test", version: "0" }, ...this.#hello, ...resume },
      });
    });
    return new Promise((resolve) => socket.on("close", () => resolve()));
  }

  #say(request: object): void {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify({ jsonrpc: "2.0", ...request }));
  }

  #take(text: string): void {
    const parsed = JSON.parse(text) as Frame | Frame[];
    for (const frame of Array.isArray(parsed) ? parsed : [parsed]) {
      if (frame.id === 0) this.#welcomed(frame.result as Welcome);
      else if (frame.method === "events") this.#apply(frame.params as Page);
    }
    for (const look of [...this.#looks]) look();
  }

  #welcomed(welcome: Welcome): void {
    if (!welcome) return; // refused while the hub closes: it ends the line, and we come back
    if (this.cursor !== undefined && !welcome.resumed) this.broken.push(`not resumed: ${welcome.reason}`);
    this.welcomes.push(welcome);
    this.cursor = welcome.cursor;
  }

  #apply({ after, cursor, events }: Page): void {
    if (after !== this.cursor) this.broken.push(`a page begins at ${after}, the reader is at ${this.cursor}`);
    this.cursor = cursor;
    this.count += events.length;
    for (const { seq } of events) {
      if (seq <= this.#lastSeq) this.broken.push(`event ${seq} comes after ${this.#lastSeq}`);
      this.#lastSeq = seq;
    }
    if (this.keeps) this.events.push(...events);
    if (this.acknowledges && events.length > 0) this.acknowledge();
  }
}
