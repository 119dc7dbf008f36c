/**
 * What a connection has to say, packed: what waits when it is flushed goes out as one frame, a
 * single object as it is, several as an array. A page that goes out alone is encoded once for all its readers.
 */
import type { WebSocket } from "ws";
import { LIMITS } from "../../../shared/limits.ts";
import type { LogPage } from "../../delivery/page.ts";

/** When a frame is full, unless one message alone is longer: a long string would cost pages of memory of its own. */
const FRAME_CHARS = 96 * 1024;

/** Where more connections than these are told something in one turn, confirmations leave at once. */
const FEW = 4;

/** Characters that may wait here, or bytes that the socket may hold unsent, before the client is no longer listened to. */
const HIGH_WATER = 2 * LIMITS.frame_bytes;
/** Bytes unsent at which the client is given up: it comes back, and asks again for what it still wants. */
const OVERFLOW = 8 * LIMITS.frame_bytes;

/** *Actionable*: somebody is to act on it. *Confirmation*: what was asked for is done. */
export type Urgency = "actionable" | "confirmation";

export class Outbox {
  readonly #socket: WebSocket;
  readonly #flusher: Flusher;
  #waiting: (string | LogPage)[] = [];
  #waitingChars = 0;
  /** As what it is due at the flusher. */
  #due: Urgency | undefined;
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

  get isEmpty(): boolean {
    return this.#waiting.length === 0;
  }

  push(message: string | LogPage, urgency: Urgency = "actionable"): void {
    this.#waiting.push(message);
    this.#waitingChars += charsOf(message);
    if (this.#waitingChars >= HIGH_WATER) this.#turn(true);
    if (this.#due === "actionable" || this.#due === urgency) return;
    this.#due = urgency;
    this.#flusher.later(this, urgency);
  }

  /** Sends what waits, now. */
  flush(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#waitingChars = 0;
    this.#due = undefined;
    if (this.#socket.readyState === this.#socket.OPEN) this.#sendAll(waiting);
    if (this.unsent < HIGH_WATER) this.#turn(false);
  }

  #sendAll(waiting: readonly (string | LogPage)[]): void {
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
    if (unsent + frame.length < HIGH_WATER && !this.isFull) {
      socket.send(frame, { binary: false });
    } else if (unsent < OVERFLOW) {
      this.#turn(true);
      socket.send(frame, { binary: false }, () => this.#turn(socket.bufferedAmount >= HIGH_WATER));
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

const charsOf = (message: string | LogPage) => (typeof message === "string" ? message : message.json).length;

const pack = (messages: readonly string[]) =>
  messages.length === 1 ? (messages[0] as string) : `[${messages.join(",")}]`;

const notification = (page: LogPage) => `{"jsonrpc":"2.0","method":"events","params":${page.json}}`;

function frameOf(page: LogPage): Buffer {
  page.frame ??= Buffer.from(notification(page));
  return page.frame;
}

/**
 * Flushes the outboxes of all connections once a turn.
 *
 * Where something is for few, confirmations leave after the event loop has looked for requests once more: whoever was told
 * what to act on often has by then, and its request is on its way to the disk while the others are told that theirs is done.
 */
export class Flusher {
  #outboxes: Record<Urgency, Outbox[]> = { actionable: [], confirmation: [] };
  #isScheduled = false;

  later(outbox: Outbox, urgency: Urgency): void {
    this.#outboxes[urgency].push(outbox);
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => this.#flush());
  }

  #flush(): void {
    const { actionable, confirmation } = this.#outboxes;
    this.#outboxes = { actionable: [], confirmation: [] };
    this.#isScheduled = false;
    flushAll(actionable);
    const left = confirmation.filter((outbox) => !outbox.isEmpty); // the others had something to act on, too
    if (actionable.length === 0 || actionable.length + left.length > FEW) flushAll(left);
    else if (left.length > 0) afterNextTurn(() => flushAll(left));
  }
}

/** The next turn takes what came in meanwhile, and passes it on before it ends. */
function afterNextTurn(run: () => void): void {
  setImmediate(() => setImmediate(run));
}

function flushAll(outboxes: readonly Outbox[]): void {
  for (const outbox of outboxes) outbox.flush();
}
