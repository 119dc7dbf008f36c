/**
 * What a connection has to say, packed: everything of one turn of the event loop goes out as one frame, a
 * single object as it is, several as an array. A page that goes out alone is encoded once for all its readers.
 */
import type { WebSocket } from "ws";
import { LIMITS } from "../../../shared/limits.ts";
import type { LogPage } from "../../delivery/page.ts";

/** When a frame is full, unless one message alone is longer: a long string would cost pages of memory of its own. */
const FRAME_CHARS = 96 * 1024;

/** Bytes the socket may hold unsent before its client is no longer listened to. */
const HIGH_WATER_BYTES = 2 * LIMITS.frame_bytes;
/** Bytes unsent at which the client is given up: it comes back, and asks again for what it still wants. */
const OVERFLOW_BYTES = 8 * LIMITS.frame_bytes;

export class Outbox {
  readonly #socket: WebSocket;
  readonly #flusher: Flusher;
  #waiting: (string | LogPage)[] = [];
  /** Whether the client leaves so much unread that nothing should be begun for it. */
  isFull = false;
  /** Called when `isFull` has changed. */
  onTurn: () => void = () => {};

  constructor(socket: WebSocket, flusher: Flusher) {
    this.#socket = socket;
    this.#flusher = flusher;
  }

  /** Bytes that the socket holds unsent. */
  get unsent(): number {
    return this.#socket.bufferedAmount;
  }

  push(message: string | LogPage): void {
    if (this.#waiting.push(message) === 1) this.#flusher.later(this);
  }

  /** Sends what waits, now. */
  flush(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    if (this.#socket.readyState !== this.#socket.OPEN) return;
    const [only] = waiting;
    if (waiting.length === 1 && only !== undefined) this.#send(typeof only === "string" ? only : frameOf(only));
    else this.#sendPacked(waiting.map((message) => (typeof message === "string" ? message : notification(message))));
  }

  #sendPacked(messages: readonly string[]): void {
    let from = 0;
    let chars = 0;
    for (const [i, message] of messages.entries()) {
      if (i > from && chars + message.length > FRAME_CHARS) {
        this.#send(pack(messages.slice(from, i)));
        [from, chars] = [i, 0];
      }
      chars += message.length;
    }
    if (from < messages.length) this.#send(pack(messages.slice(from)));
  }

  #send(frame: string | Buffer): void {
    const socket = this.#socket;
    const { unsent } = this;
    if (unsent < HIGH_WATER_BYTES) {
      socket.send(frame, { binary: false });
    } else if (unsent < OVERFLOW_BYTES) {
      this.#turn(true);
      socket.send(frame, { binary: false }, () => this.#turn(socket.bufferedAmount >= HIGH_WATER_BYTES));
    } else {
      socket.terminate();
    }
  }

  #turn(isFull: boolean): void {
    if (isFull === this.isFull) return;
    this.isFull = isFull;
    this.onTurn();
  }
}

const pack = (messages: readonly string[]) =>
  messages.length === 1 ? (messages[0] as string) : `[${messages.join(",")}]`;

const notification = (page: LogPage) => `{"jsonrpc":"2.0","method":"events","params":${page.json}}`;

function frameOf(page: LogPage): Buffer {
  page.frame ??= Buffer.from(notification(page));
  return page.frame;
}

/** Flushes the outboxes of all connections once a turn. */
export class Flusher {
  #waiting: Outbox[] = [];

  later(outbox: Outbox): void {
    if (this.#waiting.push(outbox) === 1) setImmediate(() => this.#flush());
  }

  #flush(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const outbox of waiting) outbox.flush();
  }
}
