/**
 * What one client may have under way, so that none makes the hub hold more for it than a few frames (I9).
 *
 * A few bytes can ask for megabytes: reads are begun a few at a time, and none while the client leaves answers unread.
 * Of what it sends, only so much is taken in before the first of it is answered; then its socket is read no further.
 */
import type { WebSocket } from "ws";
import { LIMITS } from "../../../shared/limits.ts";
import type { Outbox } from "./outbox.ts";

const READS_AT_ONCE = 8;
/** Reads that may wait long for something to happen. */
const WAITS_AT_ONCE = 64;
const BYTES_UNDER_WAY = 4 * LIMITS.frame_bytes;

type Act = () => Promise<void>;

export class Intake {
  readonly #socket: WebSocket;
  readonly #outbox: Outbox;
  readonly #reads: Turnstile;
  readonly #waits: Turnstile;
  /** Requests under way, and the bytes in which they came. */
  requests = 0;
  #bytes = 0;

  constructor(socket: WebSocket, outbox: Outbox) {
    this.#socket = socket;
    this.#outbox = outbox;
    const isShut = () => outbox.isFull;
    this.#reads = new Turnstile(READS_AT_ONCE, isShut);
    this.#waits = new Turnstile(WAITS_AT_ONCE, isShut);
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

  /** Begins a read when it is its turn. `act` must not fail. */
  read(waits: boolean, act: Act): void {
    (waits ? this.#waits : this.#reads).pass(act);
  }

  #regulate(): void {
    const isTooMuch = this.#outbox.isFull || this.#bytes > BYTES_UNDER_WAY;
    if (isTooMuch) this.#socket.pause();
    else this.#socket.resume();
    if (this.#outbox.isFull) return;
    this.#reads.next();
    this.#waits.next();
  }
}

/** Lets so many through at once, and nobody while it is shut; the others stand in line. */
class Turnstile {
  readonly #places: number;
  readonly #isShut: () => boolean;
  readonly #line: Act[] = [];
  #inside = 0;

  constructor(places: number, isShut: () => boolean) {
    this.#places = places;
    this.#isShut = isShut;
  }

  pass(act: Act): void {
    this.#line.push(act);
    this.next();
  }

  next(): void {
    while (this.#line.length > 0 && this.#inside < this.#places && !this.#isShut()) {
      this.#inside++;
      void (this.#line.shift() as Act)().then(() => {
        this.#inside--;
        this.next();
      });
    }
  }
}
