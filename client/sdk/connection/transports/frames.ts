/** JSON-RPC 2.0 text frames, written and read. */
import {
  type Closing,
  fromRpcError,
  type Hello,
  HubError,
  LIMITS,
  type Page,
  type Presence,
  type Subscribe,
  type Welcome,
} from "../../../../shared/index.ts";
import type { Request, TransportEvents } from "./transport.ts";

/** The ids of requests that are not calls; calls count from 1. */
const HELLO_ID = 0;
const SUBSCRIBE_ID = -1;
const NO_ID = -2;

/** What one frame may hold. */
interface FrameLimits {
  readonly requests: number;
  readonly bytes: number;
}

/** One entry of a batch is left for the acknowledgement. */
export const FRAME_LIMITS: FrameLimits = { requests: LIMITS.batch_requests - 1, bytes: LIMITS.frame_bytes };

export const helloFrame = (hello: Hello) => request(HELLO_ID, "hello", hello);

export const subscribeFrame = (subscription: Subscribe) => request(SUBSCRIBE_ID, "subscribe", subscription);

/** @throws TypeError when the parameters are not a JSON object. */
function request(id: number, method: string, params: object): string {
  const text = JSON.stringify(params);
  if (text?.[0] !== "{") throw new TypeError(`the parameters of ${method} cannot be written as an object of JSON`);
  return `{"jsonrpc":"2.0","id":${id},"method":"${method}","params":${text}}`;
}

const ackOf = (cursor: string) => `{"jsonrpc":"2.0","method":"ack","params":{"cursor":"${cursor}"}}`;

/** Packs requests, and the acknowledgement after them, into as few frames as the limits allow. */
export class FrameWriter {
  readonly #limits: FrameLimits;
  readonly #send: (frame: string) => void;
  #parts: string[] = [];
  #bytes = 0;

  constructor(limits: FrameLimits, send: (frame: string) => void) {
    this.#limits = limits;
    this.#send = send;
  }

  /** @param refuse is called for a request that cannot be written; the others are sent. */
  write(requests: readonly Request[], ack: string | undefined, refuse: (id: number, error: Error) => void): void {
    for (const { id, operation, params } of requests) {
      try {
        this.#add(request(id, operation, params));
      } catch (error) {
        refuse(id, error as Error);
      }
    }
    if (ack !== undefined) this.#parts.push(ackOf(ack));
    this.#flush();
  }

  #add(text: string): void {
    const bytes = this.#sizeOf(text);
    if (this.#parts.length >= this.#limits.requests || this.#bytes + bytes > this.#limits.bytes) this.#flush();
    this.#parts.push(text);
    this.#bytes += bytes;
  }

  /** An upper bound; counted exactly only where that bound would not fit a frame. */
  #sizeOf(text: string): number {
    const limit = this.#limits.bytes - 1024;
    const bound = text.length * 3;
    if (bound <= limit) return bound;
    const exact = new TextEncoder().encode(text).length;
    if (exact > limit) throw new HubError("too_large", `the request is longer than ${limit} bytes`, { limit });
    return exact;
  }

  #flush(): void {
    const parts = this.#parts;
    if (parts.length === 0) return;
    this.#parts = [];
    this.#bytes = 0;
    this.#send(parts.length === 1 ? (parts[0] as string) : `[${parts.join(",")}]`);
  }
}

/** What frames hold. */
export interface FrameEvents extends Omit<TransportEvents, "welcomed"> {
  welcomed(welcome: Welcome): void;
}

interface Incoming {
  id?: number | null;
  result?: unknown;
  error?: { message: string; data?: unknown };
  method?: string;
  params?: unknown;
}

/**
 * Reads one frame and reports what it holds, in order.
 *
 * @returns whether it could be read.
 */
export function readFrame(text: string, events: FrameEvents): boolean {
  const frame = parse(text);
  if (frame === undefined) return false;
  if (!Array.isArray(frame)) readOne(frame, text.length, events);
  else for (const one of frame) readOne(one, text.length, events);
  return true;
}

function parse(text: string): Incoming | Incoming[] | undefined {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function readOne(one: Incoming, bytes: number, events: FrameEvents): void {
  if (one.method !== undefined) notified(one.method, one.params, bytes, events);
  else if (one.id === HELLO_ID) greeted(one, events);
  else if (one.id === SUBSCRIBE_ID) subscribed(one, events);
  else if (one.error) events.failed(one.id ?? NO_ID, fromRpcError(one.error));
  else events.answered(one.id as number, one.result);
}

function greeted(answer: Incoming, events: FrameEvents): void {
  if (answer.error) events.refused(fromRpcError(answer.error));
  else events.welcomed(answer.result as Welcome);
}

function subscribed(answer: Incoming, events: FrameEvents): void {
  if (answer.error) events.refused(fromRpcError(answer.error));
  else events.subscribed((answer.result as { cursor: string }).cursor);
}

/** A notification unknown to this version is ignored. */
function notified(method: string, params: unknown, bytes: number, events: FrameEvents): void {
  if (method === "events") events.page(params as Page, bytes);
  else if (method === "presence") events.presence(params as Presence);
  else if (method === "presence_changed") events.presenceChanged();
  else if (method === "closing") events.closing(params as Closing);
}
