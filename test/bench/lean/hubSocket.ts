/**
 * A lean client of the hub: speaks the frames of `shared/frames.ts`, checks nothing and repeats nothing. What it has
 * to say in one turn of the event loop goes into one frame. It measures the hub where the SDK would be in the way.
 */
import { once } from "node:events";
import WebSocket from "ws";
import { ChurnMap } from "../../../client/sdk/churn.ts";
import { type Hello, LIMITS, type Page, SOCKET_PATH, SUBPROTOCOL, type Welcome } from "../../../shared/index.ts";

interface Down {
  id?: number;
  result?: unknown;
  error?: { message: string };
  method?: string;
  params?: unknown;
}

interface Pending {
  resolve: (result: never) => void;
  reject: (error: Error) => void;
}

export type HelloFields = Omit<Hello, "client">;

interface Opened {
  hub: HubSocket;
  /** Where the session stands. */
  welcome: Welcome;
}

const client = { name: "bench", version: "1" };

export class HubSocket {
  readonly #socket: WebSocket;
  readonly #pending = new ChurnMap<number, Pending>();
  #outgoing: object[] = [];
  /** The newest cursor that is not acknowledged yet. */
  #applied: string | undefined;
  #flushing: NodeJS.Immediate | undefined;
  #serial = 0;
  readonly #onPage: (page: Page) => void;

  private constructor(socket: WebSocket, onPage: (page: Page) => void) {
    this.#socket = socket;
    this.#onPage = onPage;
    socket.on("message", (data) => this.#receive(data.toString()));
    socket.on("close", () => this.#fail(new Error("the hub closed the connection")));
  }

  /** Connects and says hello. `onPage` gets every page that has events, before it is acknowledged. */
  static async open(port: number, hello: HelloFields, onPage: (page: Page) => void = () => {}): Promise<Opened> {
    const url = `ws://127.0.0.1:${port}${SOCKET_PATH}`;
    const socket = new WebSocket(url, SUBPROTOCOL, { perMessageDeflate: false, skipUTF8Validation: true });
    const hub = new HubSocket(socket, onPage);
    await once(socket, "open");
    return { hub, welcome: await hub.request<Welcome>("hello", { ...hello, client }) };
  }

  request<T>(method: string, params: object): Promise<T> {
    const id = ++this.#serial;
    this.#say({ jsonrpc: "2.0", id, method, params });
    return new Promise<T>((resolve, reject) => this.#pending.set(id, { resolve, reject }));
  }

  async close(): Promise<void> {
    if (this.#socket.readyState === WebSocket.CLOSED) return;
    this.#socket.close(1000);
    await once(this.#socket, "close");
  }

  #say(frame: object): void {
    this.#outgoing.push(frame);
    this.#flushSoon();
  }

  #flushSoon(): void {
    this.#flushing ??= setImmediate(() => this.#flush());
  }

  #flush(): void {
    this.#flushing = undefined;
    if (this.#applied) this.#outgoing.push({ jsonrpc: "2.0", method: "ack", params: { cursor: this.#applied } });
    this.#applied = undefined;
    for (let from = 0; from < this.#outgoing.length; from += LIMITS.batch_requests) {
      this.#socket.send(JSON.stringify(this.#outgoing.slice(from, from + LIMITS.batch_requests)));
    }
    this.#outgoing = [];
  }

  #receive(text: string): void {
    const frame = JSON.parse(text) as Down | Down[];
    for (const item of Array.isArray(frame) ? frame : [frame]) this.#take(item);
  }

  #take(item: Down): void {
    if (item.id !== undefined) this.#settle(item.id, item);
    else if (item.method === "events") this.#apply(item.params as Page);
  }

  #apply(page: Page): void {
    if (page.events.length === 0) return;
    this.#onPage(page);
    this.#applied = page.cursor;
    this.#flushSoon();
  }

  #settle(id: number, { result, error }: Down): void {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    if (error) pending?.reject(new Error(error.message));
    else pending?.resolve(result as never);
  }

  #fail(error: Error): void {
    for (const { reject } of this.#pending.values()) reject(error);
    this.#pending.clear();
  }
}
