/** A lean client for tests: it sends what it is told, right or wrong, and keeps everything that comes. */
import { once } from "node:events";
import { type RawData, WebSocket } from "ws";
import { fromRpcError } from "../../shared/errors.ts";
import type { Event, Page } from "../../shared/event.ts";
import { type Hello, SUBPROTOCOL, type Welcome } from "../../shared/frames.ts";
import type { OperationName, Params, Result } from "../../shared/operations/index.ts";
import { defer } from "./defer.ts";

export interface RpcMessage {
  id?: string | number | null;
  method?: string;
  params?: unknown;
  result?: unknown;
  error?: { code: number; message: string; data?: { code?: string; details?: Record<string, unknown> } };
}

interface RawOptions {
  /** Subprotocols to offer. */
  protocols?: string[];
  headers?: Record<string, string>;
}

const PATIENCE_MS = 10_000;

export class RawSocket {
  readonly ws: WebSocket;
  /** Everything that came, in order, arrays unpacked. */
  readonly received: RpcMessage[] = [];
  /** How many frames that took. */
  frames = 0;
  readonly closed: Promise<{ code: number; reason: string }>;
  #lastId = 0;
  #look = new Set<() => void>();

  private constructor(ws: WebSocket) {
    this.ws = ws;
    ws.on("message", (data) => this.#take(data)).on("error", () => undefined);
    this.closed = new Promise((resolve) => {
      ws.on("close", (code, reason) => {
        resolve({ code, reason: reason.toString() });
        this.#lookAgain();
      });
    });
  }

  /** Opens a socket, closed when the test ends. @throws Error with the HTTP status when the hub refuses. */
  static async open(wsUrl: string, { protocols = [SUBPROTOCOL], headers = {} }: RawOptions = {}): Promise<RawSocket> {
    const ws = new WebSocket(wsUrl, protocols, { headers, perMessageDeflate: false });
    defer(() => ws.terminate());
    const socket = new RawSocket(ws);
    await once(ws, "open");
    return socket;
  }

  /** Opens a socket and says hello. */
  static async greet(wsUrl: string, params: Partial<Hello> = {}): Promise<RawSocket & { welcome: Welcome }> {
    const socket = await RawSocket.open(wsUrl);
    return Object.assign(socket, { welcome: await socket.hello(params) });
  }

  hello(params: Partial<Hello> = {}): Promise<Welcome> {
    return this.request("hello", { client: { name: "test", version: "0" }, ...params }) as Promise<Welcome>;
  }

  /** Performs an operation. @throws HubError that the hub answered. */
  call<N extends OperationName>(method: N, params: Params<N>): Promise<Result<N>> {
    return this.request(method, params) as Promise<Result<N>>;
  }

  /** Sends any request. @returns the answer's result. @throws HubError that the hub answered. */
  async request(method: string, params?: unknown): Promise<unknown> {
    this.#lastId += 1;
    const id = this.#lastId;
    this.send({ jsonrpc: "2.0", id, method, ...(params !== undefined && { params }) });
    const { result, error } = await this.answer(id);
    if (error) throw fromRpcError(error);
    return result;
  }

  /** The answer under an id, as it came. */
  answer(id: string | number | null): Promise<RpcMessage> {
    return this.until(`an answer to ${id}`, () => this.received.find((one) => one.id === id && !one.method));
  }

  notify(method: string, params: unknown): void {
    this.send({ jsonrpc: "2.0", method, params });
  }

  ack(cursor: string): void {
    this.notify("ack", { cursor });
  }

  /** Sends a value as JSON in one frame. */
  send(value: unknown): void {
    this.sendText(JSON.stringify(value));
  }

  sendText(text: string): void {
    this.ws.send(text);
  }

  sendBinary(bytes: Uint8Array): void {
    this.ws.send(bytes, { binary: true });
  }

  /** Sends a text as one frame in several fragments. */
  sendFragments(parts: readonly string[]): void {
    for (const [i, part] of parts.entries()) this.ws.send(part, { binary: false, fin: i === parts.length - 1 });
  }

  /** The parameters of every notification of a kind that came so far. */
  notifications(method: string): unknown[] {
    return this.received.filter((one) => one.method === method).map((one) => one.params);
  }

  get pages(): Page[] {
    return this.notifications("events") as Page[];
  }

  get events(): Event[] {
    return this.pages.flatMap((page) => page.events);
  }

  /** Waits until so many events came. @returns all that came. */
  eventsUntil(count: number): Promise<Event[]> {
    return this.until(`${count} events`, () => this.events.length >= count && this.events);
  }

  /** Waits for an event; one that came already counts. */
  event(kind: Event["kind"], id?: string): Promise<Event> {
    const wanted = (event: Event) => event.kind === kind && (id === undefined || event.message.id === id);
    return this.until(`event ${kind} ${id ?? ""}`, () => this.events.find(wanted));
  }

  /** Looks after every frame whether `find` gives something. @throws Error when the socket closes or time is up. */
  until<T>(what: string, find: () => T | undefined | false | null): Promise<T> {
    return new Promise((resolve, reject) => {
      const settle = (act: () => void) => {
        clearTimeout(timer);
        this.#look.delete(look);
        act();
      };
      const fail = (why: string) => {
        const last = JSON.stringify(this.received.slice(-3));
        settle(() => reject(new Error(`${what} did not come: ${why}; of ${this.received.length} the last: ${last}`)));
      };
      const look = () => {
        const found = find();
        if (found) settle(() => resolve(found));
        else if (this.ws.readyState === WebSocket.CLOSED) fail("the socket closed");
      };
      const timer = setTimeout(() => fail(`${PATIENCE_MS} ms passed`), PATIENCE_MS);
      this.#look.add(look);
      look();
    });
  }

  /** Stops reading, as a slow client does, until `resume`. */
  pause(): void {
    this.ws.pause();
  }

  resume(): void {
    this.ws.resume();
  }

  close(code = 1000, reason = "goodbye"): Promise<{ code: number; reason: string }> {
    this.ws.close(code, reason);
    return this.closed;
  }

  #take(data: RawData): void {
    const frame = JSON.parse(data.toString()) as RpcMessage | RpcMessage[];
    this.frames += 1;
    if (Array.isArray(frame)) this.received.push(...frame);
    else this.received.push(frame);
    this.#lookAgain();
  }

  #lookAgain(): void {
    for (const look of [...this.#look]) look();
  }
}
