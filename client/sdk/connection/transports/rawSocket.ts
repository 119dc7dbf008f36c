/** The WebSocket of the place we run in: `ws` in Node, the built-in one in a browser or its workers. */
import NodeWebSocket from "ws";
import { LIMITS } from "../../../../shared/index.ts";
import type { Clock } from "../../clock.ts";

/** What we use of either. */
export interface RawSocket {
  readonly readyState: number;
  readonly bufferedAmount: number;
  close(code?: number, reason?: string): void;
  addEventListener(type: "close", listener: (event: { code: number; reason: string }) => void): void;
  /** Why it could not be opened, where the platform says so. */
  readonly failure?: string;
  /** Ends the line without waiting for the other side, where the platform can. */
  terminate?(): void;
}

interface RawSocketClass {
  /** @param handshakeTimeoutMs how long opening may take, where the platform takes a limit. */
  new (url: string, protocols: string | string[] | undefined, handshakeTimeoutMs: number): RawSocket;
  readonly OPEN: number;
}

/** A frame of the hub holds a few large answers at most. */
const MAX_PAYLOAD_BYTES = 16 * LIMITS.frame_bytes;

/** `ws` with its defaults put right, and with the listeners that must outlive every other. */
class NodeSocket extends NodeWebSocket {
  failure = "";

  constructor(url: string, protocols: string | string[] | undefined, handshakeTimeout: number) {
    super(url, protocols, { perMessageDeflate: false, handshakeTimeout, maxPayload: MAX_PAYLOAD_BYTES });
    this.on("error", (error: NodeJS.ErrnoException) => {
      this.failure = error.message || error.code || error.name;
    });
    this.on("upgrade", ({ socket }) => void socket.unref());
  }
}

/** Bundlers for the browser put an empty function in the place of `ws`. */
export const isBrowser = NodeWebSocket.OPEN !== 1;

export const PlatformSocket = (isBrowser ? globalThis.WebSocket : NodeSocket) as RawSocketClass;

const CLOSE_WAIT_MS = 2_000;

/** Resolves when a socket that was told to close is down, or does not answer. */
export function down(socket: RawSocket, clock: Clock): Promise<void> {
  return new Promise((resolve) => {
    const giveUp = clock.after(CLOSE_WAIT_MS, () => {
      socket.terminate?.();
      resolve();
    });
    socket.addEventListener("close", () => {
      giveUp();
      resolve();
    });
  });
}
