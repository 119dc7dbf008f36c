/**
 * The socket, over reconnecting-websocket 4.4.0. No other file imports it, because it is unmaintained and each of
 * its defects has a remedy here:
 *
 * | defect | remedy |
 * |---|---|
 * | an attempt that times out kills the process (`error` without a listener) | `NodeSocket` keeps a listener for ever; the handshake's own time-out comes first |
 * | no jitter: all clients are back at one moment, the first attempt without any delay | the URL provider waits at a `Gate`, which the connection opens when an attempt is due |
 * | a URL provider that rejects kills the process, or stops all attempts | the gate never rejects |
 * | dead after `maxRetries`, and after `close()` before `open` | no limit of retries; a closed instance is thrown away, never used again |
 * | messages queued while closed leave before the first `hello` | it queues nothing; calls wait above |
 * | closes with another code are reported as 1000 | the raw socket's own `close` event is what counts |
 * | it comes back whatever the code | who is refused for good closes the instance, before it tries again |
 * | `reconnect()` skips the delay, and hangs on a socket that is not open | never used: close and throw away |
 * | no heartbeat | `Liveness` |
 *
 * Vocabulary: the *dialler* is an instance of reconnecting-websocket; the *raw socket* is the one it has open now.
 */
import * as rws from "reconnecting-websocket";
import {
  CLOSE,
  type Hello,
  LIMITS,
  LIVENESS,
  SUBPROTOCOL,
  type Subscribe,
  type Welcome,
} from "../../../../shared/index.ts";
import type { Clock } from "../../clock.ts";
import { FRAME_LIMITS, type FrameEvents, FrameWriter, helloFrame, readFrame, subscribeFrame } from "./frames.ts";
import { Gate } from "./gate.ts";
import { Liveness } from "./liveness.ts";
import { down, PlatformSocket, type RawSocket } from "./rawSocket.ts";
import type { LineClose, Request, Transport, TransportEvents } from "./transport.ts";

/** Its types say `.default`, while at run time the default import is the class itself. */
const Dialler = rws.default as unknown as typeof rws.default.default;
type Dialler = InstanceType<typeof Dialler>;

const HANDSHAKE_TIMEOUT_MS = 10_000;
const HUB_SILENT: LineClose = CLOSE.hubSilent;
const UNREADABLE: LineClose = { code: CLOSE.reopened.code, reason: "unreadable frame" };

export class SocketTransport implements Transport {
  readonly name = "websocket";
  readonly #url: string;
  readonly #clock: Clock;
  readonly #handshakeTimeoutMs: number;
  readonly #events: FrameEvents;
  readonly #liveness: Liveness;
  readonly #writer = new FrameWriter(FRAME_LIMITS, (frame) => this.#dialler?.send(frame));
  #gate: Gate | undefined;
  #dialler: Dialler | undefined;
  #socket: RawSocket | undefined;

  constructor(url: string, clock: Clock, events: TransportEvents, handshakeTimeoutMs = HANDSHAKE_TIMEOUT_MS) {
    this.#url = url;
    this.#clock = clock;
    this.#handshakeTimeoutMs = handshakeTimeoutMs;
    this.#events = { ...events, welcomed: (welcome) => this.#welcomed(welcome, events) };
    this.#liveness = new Liveness(clock, () => this.#cut(HUB_SILENT));
  }

  get congested(): boolean {
    return (this.#socket?.bufferedAmount ?? 0) > LIMITS.frame_bytes;
  }

  attempt(): void {
    this.#dialler ??= this.#dial();
    this.#gate?.open();
  }

  greet(hello: Hello): void {
    this.#liveness.expect(LIVENESS.hello_ms);
    this.#dialler?.send(helloFrame(hello));
  }

  subscribe(subscription: Subscribe): void {
    this.#dialler?.send(subscribeFrame(subscription));
  }

  send(requests: readonly Request[], ack: string | undefined): void {
    this.#writer.write(requests, ack, this.#events.failed);
  }

  listen(): void {}

  async close(why: LineClose): Promise<void> {
    const dialler = this.#dialler;
    const socket = this.#socket;
    this.#dialler = undefined;
    this.#socket = undefined;
    this.#liveness.stop();
    const isDown = socket && down(socket, this.#clock);
    dialler?.close(why.code, why.reason);
    await isDown;
  }

  #dial(): Dialler {
    const gate = new Gate();
    this.#gate = gate;
    const dialler = new Dialler(() => gate.pass().then(() => this.#url), SUBPROTOCOL, {
      WebSocket: this.#socketClass(),
      minReconnectionDelay: 0,
      minUptime: 0,
      maxEnqueuedMessages: 0,
      connectionTimeout: 2 * this.#handshakeTimeoutMs,
    });
    dialler.addEventListener("open", () => {
      if (this.#dialler === dialler) this.#events.opened();
    });
    dialler.addEventListener("message", ({ data }) => {
      if (this.#dialler === dialler) this.#received(data);
    });
    return dialler;
  }

  /** A class of sockets that report to this transport before the dialler hears of anything. */
  #socketClass() {
    const adopt = (socket: RawSocket) => this.#adopt(socket);
    const timeoutMs = this.#handshakeTimeoutMs;
    return class extends PlatformSocket {
      constructor(url: string, protocols?: string | string[]) {
        super(url, protocols, timeoutMs);
        adopt(this);
      }
    };
  }

  #adopt(socket: RawSocket): void {
    this.#socket = socket;
    socket.addEventListener("close", ({ code, reason }) => {
      if (this.#socket !== socket) return;
      this.#socket = undefined;
      this.#liveness.stop();
      this.#events.lost({ code, reason: reason || socket.failure || "the connection broke" });
    });
  }

  #welcomed(welcome: Welcome, events: TransportEvents): void {
    this.#liveness.expect(welcome.heartbeat_ms + LIVENESS.pong_ms);
    const { cursor, resumed, reason, window, limits } = welcome;
    const requestsInFlight = limits.requests_in_flight ?? Number.POSITIVE_INFINITY;
    events.welcomed({ cursor, resumed, reason, window, requestsInFlight });
  }

  #received(text: string): void {
    this.#liveness.heard();
    if (!readFrame(text, this.#events)) this.#cut(UNREADABLE);
  }

  /** Gives up a line that is open but of no use. */
  #cut(why: LineClose): void {
    const socket = this.#socket;
    void this.close(why);
    socket?.terminate?.();
    this.#events.lost(why);
  }
}
