/** The three ways to read the log, as one interface: what carries the pages is all that differs. */
import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import { text } from "node:stream/consumers";
import { expect } from "vitest";
import type { Event, EventKind, Page } from "../../shared/event.ts";
import { defer } from "../support/defer.ts";
import { RawSocket, type RpcMessage } from "../support/rawSocket.ts";

/** Where a hub, or a proxy before it, is reached. */
export interface Place {
  url: string;
  wsUrl: string;
}

interface Start {
  /** Whose events; left out, an observer's: all. */
  as?: string | undefined;
  /** Its pools, whose events it sees as well. */
  roles?: string[] | undefined;
  /** Which life of its process, where it has pools. */
  run?: string | undefined;
  /** The cursor to go on from; left out, the head. */
  from?: string | undefined;
  /** Which kinds of event; left out, all. */
  kinds?: EventKind[] | undefined;
  /** Events in a page at most, where the carrier lets a reader say so. */
  limit?: number | undefined;
}

interface Lost {
  reason: string;
  /** Where to go on once the state was read again. */
  cursor: string;
}

export interface Carrier {
  name: string;
  /** @throws Error when the line broke before the reader stood. */
  start(place: Place, start?: Start): Promise<LogReader>;
}

/**
 * One reader of the log. Its pages are checked as they come: each begins where the one before led, and is the
 * text that `JSON.stringify` makes of it, so that equal values are equal bytes.
 */
export abstract class LogReader {
  cursor = "";
  /** Why it does not go on from the cursor that it was started with. */
  lost: Lost | undefined;

  /** The next page; it may be empty. @throws Error when the line is gone. */
  async nextPage(): Promise<Page> {
    const page = await this.receive();
    expect(page.after, "a page begins where the one before led").toBe(this.cursor);
    this.cursor = page.cursor;
    this.applied(page);
    return page;
  }

  /** Reads on until an event is the last one wanted. @returns all events up to it. */
  async until(isLast: (event: Event) => boolean): Promise<Event[]> {
    const events: Event[] = [];
    for (;;) {
      for (const event of (await this.nextPage()).events) {
        events.push(event);
        if (isLast(event)) return events;
      }
    }
  }

  /** Breaks the line without a word. */
  abstract cut(): void;
  protected abstract receive(): Promise<Page>;
  protected applied(_page: Page): void {}
}

/** What came over a line and was not taken yet. */
class Inbox<T> {
  readonly #items: T[] = [];
  #closed = false;
  #look = () => {};

  push(item: T): void {
    this.#items.push(item);
    this.#look();
  }

  close(): void {
    this.#closed = true;
    this.#look();
  }

  /** @throws Error when nothing is left and nothing will come. */
  async take(): Promise<T> {
    while (this.#items.length === 0) {
      if (this.#closed) throw new Error("the line is gone");
      await new Promise<void>((resolve) => {
        this.#look = resolve;
      });
    }
    return this.#items.shift() as T;
  }
}

/** Parses JSON that must be in the one form that `JSON.stringify` gives. */
function canonical<T>(json: string): T {
  const value = JSON.parse(json) as T;
  expect(JSON.stringify(value)).toBe(json);
  return value;
}

class SocketReader extends LogReader {
  readonly #socket: RawSocket;
  readonly #pages = new Inbox<Page>();

  private constructor(socket: RawSocket) {
    super();
    this.#socket = socket;
    socket.ws.on("close", () => this.#pages.close()).on("message", (frame) => this.#take(frame.toString()));
  }

  static async start({ wsUrl }: Place, { as, roles, run, from, kinds }: Start = {}): Promise<LogReader> {
    const socket = await RawSocket.open(wsUrl);
    const reader = new SocketReader(socket);
    const { cursor, resumed, reason } = await socket.hello({
      ...(as !== undefined && { claude_id: as }),
      ...(roles && { about: { roles } }),
      ...(run !== undefined && { run }),
      ...(from !== undefined && { resume: from }),
      ...(kinds && { kinds }),
    });
    expect(resumed).toBe(from !== undefined && reason === undefined);
    reader.cursor = cursor;
    if (reason) reader.lost = { reason, cursor };
    return reader;
  }

  cut(): void {
    this.#socket.ws.terminate();
  }

  protected receive(): Promise<Page> {
    return this.#pages.take();
  }

  protected override applied({ cursor }: Page): void {
    if (this.#socket.ws.readyState === this.#socket.ws.OPEN) this.#socket.ack(cursor);
  }

  #take(frame: string): void {
    const messages = [canonical<RpcMessage | RpcMessage[]>(frame)].flat();
    for (const { method, params } of messages) if (method === "events") this.#pages.push(params as Page);
  }
}

/** Opens a request that is destroyed when the test ends. */
async function open(url: URL, headers: Record<string, string> = {}): Promise<IncomingMessage> {
  const asked = request(url, { agent: false, headers }).end();
  defer(() => asked.destroy());
  const [response] = (await once(asked, "response")) as [IncomingMessage];
  asked.on("error", () => {}); // a line that breaks shows itself where it is read
  return response.on("error", () => {});
}

/** Where the log is read over HTTP. */
function eventsUrl({ url }: Place, after: string | undefined, { as, roles, kinds, limit }: Start): URL {
  const at = new URL(`${url}/events`);
  if (after !== undefined) at.searchParams.set("after", after);
  if (as !== undefined && !roles) at.searchParams.set("for", as);
  if (kinds) at.searchParams.set("kinds", kinds.join());
  if (limit !== undefined) at.searchParams.set("limit", `${limit}`);
  return at;
}

/** Who reads, where `for` does not say it. */
const identity = ({ as, roles, run = `run-${as}` }: Start): Record<string, string> =>
  as !== undefined && roles ? { "x-claude-id": as, "x-claude-run": run, "x-claude-roles": roles.join() } : {};

/** What a refusal says of a lost cursor. */
async function lostBy(response: IncomingMessage): Promise<Lost | undefined> {
  if (response.statusCode === 200) return undefined;
  const { code, details } = canonical<{ code: string; details: Lost }>(await text(response));
  expect([response.statusCode, code]).toEqual([410, "cursor_lost"]);
  return details;
}

class PollReader extends LogReader {
  readonly #place: Place;
  readonly #start: Start;
  #polling: IncomingMessage | undefined;

  private constructor(place: Place, start: Start) {
    super();
    this.#place = place;
    this.#start = start;
  }

  static async start(place: Place, start: Start = {}): Promise<LogReader> {
    const reader = new PollReader(place, start);
    const response = await open(eventsUrl(place, start.from, { ...start, limit: 1 }), identity(start));
    reader.lost = await lostBy(response);
    if (reader.lost) reader.cursor = reader.lost.cursor;
    else if (start.from !== undefined) reader.cursor = start.from;
    else reader.cursor = canonical<{ data: Page }>(await text(response)).data.cursor;
    return reader;
  }

  cut(): void {
    this.#polling?.destroy();
  }

  protected async receive(): Promise<Page> {
    const url = eventsUrl(this.#place, this.cursor, this.#start);
    url.searchParams.set("wait_ms", "20000");
    this.#polling = await open(url, identity(this.#start));
    return canonical<{ data: Page }>(await text(this.#polling)).data;
  }
}

class StreamReader extends LogReader {
  readonly #response: IncomingMessage;
  readonly #pages = new Inbox<Page>();

  private constructor(response: IncomingMessage) {
    super();
    this.#response = response;
    void this.#read();
  }

  static async start(place: Place, start: Start = {}): Promise<LogReader> {
    const headers = { accept: "text/event-stream", ...identity(start) };
    const response = await open(eventsUrl(place, start.from, start), headers);
    const reader = new StreamReader(response);
    reader.lost = response.statusCode === 200 ? undefined : await lostBy(response);
    if (reader.lost) reader.cursor = reader.lost.cursor;
    else reader.cursor = start.from ?? (await reader.#position());
    return reader;
  }

  cut(): void {
    this.#response.destroy();
  }

  protected receive(): Promise<Page> {
    return this.#pages.take();
  }

  /** A stream without a cursor begins with an empty page, which says where it stands. */
  async #position(): Promise<string> {
    const { after, cursor, events } = await this.#pages.take();
    expect([after, events]).toEqual([cursor, []]);
    return cursor;
  }

  async #read(): Promise<void> {
    if (this.#response.statusCode !== 200) return;
    let unread = "";
    try {
      for await (const chunk of this.#response.setEncoding("utf8")) {
        const records = (unread + chunk).split("\n\n");
        unread = records.pop() as string;
        for (const record of records) this.#take(record);
      }
    } catch {
      // the line broke
    }
    this.#pages.close();
  }

  #take(record: string): void {
    const [, id, kind, data] = /^id: (.*)\nevent: (.*)\ndata: (.*)$/.exec(record) ?? [];
    const page = canonical<Page>(data as string);
    expect([kind, id]).toEqual(["events", page.cursor]);
    this.#pages.push(page);
  }
}

export const CARRIERS: readonly Carrier[] = [
  { name: "WebSocket", start: SocketReader.start },
  { name: "long poll", start: PollReader.start },
  { name: "server-sent events", start: StreamReader.start },
];
