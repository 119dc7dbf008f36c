/**
 * What one client may have under way, so that none makes the hub hold more for it than a few frames.
 *
 * A few bytes can ask for megabytes: reads are begun a few at a time, and none while the client leaves answers unread.
 * Only a bounded part of what it sends is taken in before the first of it is answered; beyond, its socket is not read.
 * In one turn of the event loop only so many requests are taken from it, refused ones too: others are served in between.
 */
import type { RawData, WebSocket } from "ws";
import { LIMITS } from "../../../shared/limits.ts";
import type { Outbox } from "./outbox.ts";

const READS_AT_ONCE = 8;
/** Reads that may wait long for something to happen. */
const WAITS_AT_ONCE = 64;
/** Beyond, the next frame is left for the next turn. */
const REQUESTS_A_TURN = LIMITS.batch_requests;
const BYTES_UNDER_WAY = 4 * LIMITS.frame_bytes;

type Act = () => Promise<void>;

/** Takes a frame. @returns how many requests were in it, at least one. */
type TakeFrame = (data: RawData, isBinary: boolean) => number;

export class Intake {
  readonly #socket: WebSocket;
  readonly #outbox: Outbox;
  readonly #takeFrame: TakeFrame;
  readonly #reads: ConcurrencyLimit;
  readonly #waits: ConcurrencyLimit;
  /** Requests under way, and the bytes in which they came. */
  requests = 0;
  #bytes = 0;
  #isOver = false;
  /** Frames that wait for their turn. */
  #frames: Parameters<TakeFrame>[] = [];
  #requestsThisTurn = 0;

  constructor(socket: WebSocket, outbox: Outbox, takeFrame: TakeFrame) {
    this.#socket = socket;
    this.#outbox = outbox;
    this.#takeFrame = takeFrame;
    const isPaused = () => outbox.isFull;
    this.#reads = new ConcurrencyLimit(READS_AT_ONCE, isPaused);
    this.#waits = new ConcurrencyLimit(WAITS_AT_ONCE, isPaused);
    outbox.onTurn = () => this.#regulate();
  }

  begin(bytes: number): void {
    this.requests++;
    this.#bytes += bytes;
    if (this.#bytes > BYTES_UNDER_WAY) this.#regulate();
  }

  end(bytes: number): void {
    this.requests--;
    this.#bytes -= bytes;
    if (this.#socket.isPaused) this.#regulate();
  }

  /** Has a frame taken, in this turn or a later one. */
  receive(...frame: Parameters<TakeFrame>): void {
    if (this.#isOver) return;
    this.#frames.push(frame);
    if (this.#requestsThisTurn === 0) setImmediate(this.#nextTurn);
    this.#takeFrames();
    if (this.#frames.length > 0) this.#regulate();
  }

  /** What still comes is passed over: the line is about to close, and whoever is at its other end asks again. */
  stop(): void {
    this.#isOver = true;
    this.#frames = [];
    if (this.#socket.isPaused) this.#regulate();
  }

  readonly #nextTurn = (): void => {
    this.#requestsThisTurn = 0;
    if (this.#frames.length === 0) return;
    setImmediate(this.#nextTurn);
    this.#takeFrames();
    if (this.#frames.length === 0) this.#regulate();
  };

  #takeFrames(): void {
    while (this.#requestsThisTurn < REQUESTS_A_TURN) {
      const frame = this.#frames.shift();
      if (frame === undefined) return;
      this.#requestsThisTurn += this.#takeFrame(...frame);
    }
  }

  /** Begins a read when it is its turn. `act` must not fail. */
  read(waits: boolean, act: Act): void {
    (waits ? this.#waits : this.#reads).run(act);
  }

  #regulate(): void {
    const isTooMuch = this.#frames.length > 0 || this.#outbox.isFull || this.#bytes > BYTES_UNDER_WAY;
    if (isTooMuch) this.#socket.pause();
    else this.#socket.resume();
    if (this.#outbox.isFull) return;
    this.#reads.next();
    this.#waits.next();
  }
}

/** Runs a limited number of acts at once, and begins none while it is paused; the others wait in their order. */
class ConcurrencyLimit {
  readonly #limit: number;
  readonly #isPaused: () => boolean;
  readonly #waiting: Act[] = [];
  #running = 0;

  constructor(limit: number, isPaused: () => boolean) {
    this.#limit = limit;
    this.#isPaused = isPaused;
  }

  run(act: Act): void {
    this.#waiting.push(act);
    this.next();
  }

  /** Begins what may begin. */
  next(): void {
    while (this.#waiting.length > 0 && this.#running < this.#limit && !this.#isPaused()) {
      this.#running++;
      void (this.#waiting.shift() as Act)().then(() => {
        this.#running--;
        this.next();
      });
    }
  }
}
