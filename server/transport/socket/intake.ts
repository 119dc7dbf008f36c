/**
 * What one client may have under way, so that none makes the hub hold more for it than a few frames.
 *
 * A few bytes can ask for megabytes: reads are begun a few at a time, and none while the client leaves answers unread.
 * Only a bounded part of what it sends is taken in before the first of it is answered; beyond, its socket is not read.
 * In one turn of the event loop it has its fair share, and what is refused counts: others are served in between.
 */
import type { RawData, WebSocket } from "ws";
import { LIMITS } from "../../../shared/limits.ts";
import { type FairShare, toRead } from "./fairShare.ts";
import type { Outbox } from "./outbox.ts";

const READS_AT_ONCE = 8;
/** Reads that may wait long for something to happen. */
const WAITS_AT_ONCE = 64;
const BYTES_UNDER_WAY = 4 * LIMITS.frame_bytes;
/** Requests that may have schemas compiled, for which everybody waits: the database compiles as much in a batch. */
const COMPILING_AT_ONCE = 8;

const NONE: readonly unknown[] = [];

type Act = () => Promise<void>;

type Frame = [data: RawData, isBinary: boolean];

export interface Taking {
  /** Reads a frame. @returns the requests in it; none when it was refused as a whole. */
  open(...frame: Frame): readonly unknown[];
  /** Takes a request. @returns how long that takes, in ordinary requests; at least 1. */
  take(request: unknown): number;
}

export class Intake {
  readonly #socket: WebSocket;
  readonly #outbox: Outbox;
  readonly #fairShare: FairShare;
  readonly #taking: Taking;
  readonly #reads: ConcurrencyLimit;
  readonly #waits: ConcurrencyLimit;
  /** Requests under way, and the bytes in which they came. */
  requests = 0;
  #bytes = 0;
  /** Of these, the requests that may have schemas compiled. */
  #compiling = 0;
  #isOver = false;
  /** The requests of the frame that is open, and which of them is next. */
  #requests = NONE;
  #next = 0;
  /** Frames after it. */
  #frames: Frame[] = [];
  /** Whether something of all that waits. */
  #isWaiting = false;
  /** Whether for nothing but another turn. */
  #competes = false;
  /** What it has had of this turn, in requests. */
  #had = 0;

  constructor(socket: WebSocket, outbox: Outbox, fairShare: FairShare, taking: Taking) {
    this.#socket = socket;
    this.#outbox = outbox;
    this.#fairShare = fairShare;
    this.#taking = taking;
    const isPaused = () => outbox.isFull;
    this.#reads = new ConcurrencyLimit(READS_AT_ONCE, isPaused);
    this.#waits = new ConcurrencyLimit(WAITS_AT_ONCE, isPaused);
    outbox.onTurn = () => {
      this.#regulate();
      if (this.#isWaiting) this.#takeShare();
    };
  }

  begin(bytes: number, compiles = false): void {
    this.requests++;
    if (compiles) this.#compiling++;
    this.#bytes += bytes;
    if (this.#bytes > BYTES_UNDER_WAY) this.#regulate();
  }

  end(bytes: number, compiles = false): void {
    this.requests--;
    this.#bytes -= bytes;
    if (compiles) this.#compiling--;
    if (this.#isWaiting && compiles) this.#takeShare();
    if (this.#socket.isPaused) this.#regulate();
  }

  /** Has a frame taken, in this turn or later ones. */
  receive(...frame: Frame): void {
    if (this.#isOver) return;
    this.#frames.push(frame);
    this.#takeShare();
  }

  /** What still comes is passed over: the line is about to close, and whoever is at its other end asks again. */
  stop(): void {
    this.#isOver = true;
    this.#requests = NONE;
    this.#frames = [];
    this.#compete(false);
    this.#wait(false);
  }

  readonly #nextTurn = (): void => {
    this.#had = 0;
    if (this.#isWaiting) this.#takeShare();
  };

  #takeShare(): void {
    const share = this.#fairShare.requests;
    while (this.#had < share && !this.#isHeld) {
      if (this.#hasNext) this.#spend(this.#taking.take(this.#requests[this.#next++]));
      else if (!this.#openNext()) break;
    }
    const isWaiting = this.#hasNext || this.#frames.length > 0;
    if (!isWaiting) this.#requests = NONE; // an idle connection holds nothing
    this.#compete(isWaiting && !this.#isHeld);
    this.#wait(isWaiting);
  }

  /** Whether something of it must be over before the next request is taken. */
  get #isHeld(): boolean {
    return this.#outbox.isFull || this.#compiling >= COMPILING_AT_ONCE;
  }

  get #hasNext(): boolean {
    return this.#next < this.#requests.length;
  }

  /** @returns whether there was a frame. */
  #openNext(): boolean {
    const frame = this.#frames.shift();
    if (frame === undefined) return false;
    this.#spend(toRead((frame[0] as Buffer).length));
    this.#requests = this.#taking.open(...frame);
    this.#next = 0;
    return true;
  }

  #spend(requests: number): void {
    if (this.#had === 0) setImmediate(this.#nextTurn);
    this.#had += requests;
  }

  #wait(isWaiting: boolean): void {
    if (isWaiting === this.#isWaiting) return;
    this.#isWaiting = isWaiting;
    this.#regulate();
  }

  #compete(competes: boolean): void {
    if (competes === this.#competes) return;
    this.#competes = competes;
    this.#fairShare.competing += competes ? 1 : -1;
  }

  /** Begins a read when it is its turn. `act` must not fail. */
  read(waits: boolean, act: Act): void {
    (waits ? this.#waits : this.#reads).run(act);
  }

  #regulate(): void {
    const isTooMuch = this.#isWaiting || this.#outbox.isFull || this.#bytes > BYTES_UNDER_WAY;
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
