/**
 * Long polling, for where sockets are blocked: every call is a request of its own, and events are asked for page by
 * page from the cursor, while somebody wants them and takes them. At other times a run that holds tasks only says that
 * it is there; otherwise the hub would think it gone, and take its tasks away.
 */
import {
  type Hello,
  HubError,
  isRefusal,
  LIMITS,
  type LostReason,
  type Page,
  type Params,
  type Presence,
  type Subscribe,
} from "../../../../shared/index.ts";
import { isOnce, lostAnswer } from "../../calls/call.ts";
import { HOLD_MS } from "../../clock.ts";
import { isShuttingDown } from "../../errors.ts";
import { everybody } from "../../presence/presencePages.ts";
import { type CallerIdentity, callerHeaders } from "../../rest/callerHeaders.ts";
import { RestClient } from "../../rest/rest.ts";
import { twice } from "../../rest/twice.ts";
import { withTimeout } from "../../withTimeout.ts";
import { isBrowser } from "./rawSocket.ts";
import type { Request, Suspects, Transport, TransportEvents } from "./transport.ts";

/** How much longer an answer may take on its way. */
const TRANSIT_MS = 10_000;
/** How many pages, each counted as full, may lie untaken before the next is asked for. */
const PAGES_ON_THE_WAY = 4;
/** How many calls at once: each takes a connection of its own. A browser has six for a hub, and the polls take two. */
const REQUESTS_IN_FLIGHT = isBrowser ? 4 : 64;

interface Identity extends CallerIdentity {
  scope: "mine" | "all";
}

export class LongPollTransport implements Transport {
  readonly name = "long_poll";
  readonly congested = false;
  readonly #events: TransportEvents;
  readonly #rest: RestClient;
  /** Reads the log; without a name, everybody's. */
  readonly #reader: RestClient;
  #line: AbortController | undefined;
  readonly #requests = new Set<AbortController>();
  #polls: AbortController | undefined;
  #holdsTasks = false;
  #isAsking = false;
  /** Ends the requests that only say that this run is there. */
  #presence: AbortController | undefined;
  #cursor = "";
  #hello: Hello | undefined;
  /** What was subscribed to up to the cursor; `hello` may say otherwise by now. */
  #kinds: Hello["kinds"];
  /** How many subscriptions are not answered yet. */
  #subscriptions = 0;
  /** The cursors of pages that were handed on and are not acknowledged. */
  #onTheWay: string[] = [];
  #onRoom: (() => void) | undefined;

  constructor(url: string, who: Identity, events: TransportEvents) {
    this.#events = events;
    this.#rest = new RestClient(url, callerHeaders(who));
    this.#reader = who.scope === "all" ? new RestClient(url, callerHeaders({ ...who, as: undefined })) : this.#rest;
  }

  attempt(): void {
    this.#abort();
    const line = new AbortController();
    this.#line = line;
    queueMicrotask(() => this.#line === line && this.#events.opened());
  }

  greet(hello: Hello): void {
    const line = this.#line;
    if (!line) return;
    this.#hello = hello;
    this.#kinds = hello.kinds;
    this.#subscriptions = 0;
    this.#greet(line.signal, hello.resume).catch((error) => this.#broken(line, error));
  }

  send(requests: readonly Request[], ack: string | undefined): void {
    if (ack !== undefined) this.#acknowledged(ack);
    for (const request of requests) this.#carry(request);
  }

  subscribe(subscription: Subscribe): void {
    const { kinds: _, ...said } = this.#hello as Hello;
    this.#hello = { ...said, ...subscription };
    this.#subscriptions++;
    const isListening = this.#polls !== undefined;
    this.#quiet();
    this.listen(isListening, this.#holdsTasks);
  }

  listen(wanted: boolean, holdsTasks: boolean): void {
    const line = this.#line;
    this.#holdsTasks = holdsTasks;
    this.#attend();
    if (!wanted) this.#quiet();
    else if (!this.#polls && line) {
      this.#polls = new AbortController();
      const signal = AbortSignal.any([line.signal, this.#polls.signal]);
      const broken = (error: unknown) => this.#broken(line, error, signal);
      this.#pollEvents(signal).catch(broken);
      if (this.#hello?.presence) this.#pollPresence(signal).catch(broken);
    }
  }

  async close(): Promise<void> {
    this.#abort();
  }

  #abort(): void {
    this.#line?.abort();
    this.#line = undefined;
    this.#quiet();
    for (const request of this.#requests) request.abort();
  }

  #quiet(): void {
    this.#polls?.abort();
    this.#polls = undefined;
    this.#onRoom?.();
    this.#attend(false);
  }

  /** Lets the hub see a run that holds tasks, unless it already sees it asking for events under its name. */
  #attend(isAsking = this.#isAsking): void {
    this.#isAsking = isAsking;
    const line = this.#line;
    const isSeen = isAsking && this.#reader === this.#rest;
    if (isSeen || !line || !this.#holdsTasks) {
      this.#presence?.abort();
      this.#presence = undefined;
    } else if (!this.#presence) {
      this.#presence = new AbortController();
      const signal = AbortSignal.any([line.signal, this.#presence.signal]);
      this.#sayPresent(signal).catch((error) => this.#broken(line, error, signal));
    }
  }

  async #sayPresent(signal: AbortSignal): Promise<void> {
    const nothing = { kinds: [], wait_ms: HOLD_MS };
    const say = () => inTransit(signal, HOLD_MS, (bounded) => this.#rest.call("events", nothing, bounded));
    while (!signal.aborted) await twice(signal, say);
  }

  /** Finds out where this reader stands; the events themselves come once they are wanted. */
  async #greet(signal: AbortSignal, resume: string | undefined): Promise<void> {
    try {
      const page = await this.#read(signal, { after: resume, limit: 1 });
      if (!signal.aborted) this.#welcome(resume ?? page.cursor, undefined);
    } catch (error) {
      if (signal.aborted) return;
      if (isLost(error)) this.#startAnew(error);
      else if (error instanceof HubError) this.#events.refused(error);
      else throw error;
    }
  }

  #welcome(cursor: string, reason: LostReason | undefined): void {
    this.#cursor = cursor;
    this.#onTheWay = [];
    this.#events.welcomed({
      cursor,
      resumed: reason === undefined,
      reason,
      window: { events: LIMITS.window_events, bytes: PAGES_ON_THE_WAY * LIMITS.page_bytes },
      requestsInFlight: REQUESTS_IN_FLIGHT,
    });
  }

  async #pollEvents(signal: AbortSignal): Promise<void> {
    this.#attend(true);
    while (this.#subscriptions > 0 && !signal.aborted) {
      const isAtHead = await this.#pollPage(signal, 0);
      if (isAtHead) this.#subscribed();
    }
    while (this.#kinds?.length !== 0 && !signal.aborted) await this.#pollPage(signal, HOLD_MS);
    if (!signal.aborted) this.#attend(false);
  }

  /** What was subscribed to before has been read up to the head. */
  #subscribed(): void {
    this.#kinds = this.#hello?.kinds;
    for (; this.#subscriptions > 0; this.#subscriptions--) this.#events.subscribed(this.#cursor);
  }

  /** @returns whether nothing more is there to be read. */
  async #pollPage(signal: AbortSignal, wait_ms: number): Promise<boolean> {
    const page = await this.#page(signal, wait_ms);
    if (signal.aborted) return false;
    const isEmpty = page.events.length === 0;
    this.#cursor = page.cursor;
    if (!isEmpty) this.#onTheWay.push(page.cursor);
    this.#events.page(page, isEmpty ? 0 : LIMITS.page_bytes);
    if (this.#onTheWay.length >= PAGES_ON_THE_WAY) await this.#room();
    return isEmpty;
  }

  async #page(signal: AbortSignal, wait_ms: number): Promise<Page> {
    const after = this.#cursor;
    const kinds = this.#kinds;
    if (kinds?.length !== 0) return this.#read(signal, { after, wait_ms, kinds });
    return { ...(await this.#read(signal, {})), after }; // nothing was wanted so far: to the head
  }

  #acknowledged(cursor: string): void {
    this.#onTheWay.splice(0, this.#onTheWay.indexOf(cursor) + 1);
    if (this.#onTheWay.length < PAGES_ON_THE_WAY) this.#onRoom?.();
  }

  async #room(): Promise<void> {
    this.#attend(false);
    await new Promise<void>((resolve) => {
      this.#onRoom = resolve;
    });
    if (this.#polls) this.#attend(true);
  }

  async #pollPresence(signal: AbortSignal): Promise<void> {
    let since: number | undefined;
    while (!signal.aborted) {
      const seen = await everybody((params) => this.#readPresence(signal, params), { since, wait_ms: HOLD_MS });
      if (seen.version !== since) this.#events.presence(seen);
      since = seen.version;
    }
  }

  #readPresence(signal: AbortSignal, params: Params<"presence">): Promise<Presence> {
    const read = () => inTransit(signal, params.wait_ms, (bounded) => this.#rest.call("presence", params, bounded));
    return twice(signal, read) as Promise<Presence>;
  }

  #read(signal: AbortSignal, params: Params<"events">): Promise<Page> {
    const read = () => inTransit(signal, params.wait_ms, (bounded) => this.#reader.call("events", params, bounded));
    return twice(signal, read) as Promise<Page>;
  }

  #carry(call: Request): void {
    const { id, operation, params } = call;
    const line = this.#line;
    if (!line) return;
    const request = new AbortController(); // a shared one would collect what fetch leaves behind on it
    try {
      const ask = () => this.#rest.call(operation, params, request.signal);
      const askAgain = () => ask().catch((error) => lostAnswer(call, error) ?? Promise.reject(error));
      const carried = (isOnce(call) ? ask() : twice(request.signal, ask, askAgain)).then(
        (result) => this.#events.answered(id, result),
        (error) => (isAnswer(error) ? this.#events.failed(id, error) : this.#broken(line, error, line.signal, id)),
      );
      this.#requests.add(request);
      void carried.finally(() => this.#requests.delete(request));
    } catch (error) {
      this.#events.failed(id, error as Error); // it cannot be written; the others are sent
    }
  }

  /** @param suspects the call whose request it was: we break off the others ourselves. */
  #broken(line: AbortController, error: unknown, signal = line.signal, suspects: Suspects = "none"): void {
    if (signal.aborted || this.#line !== line) return;
    if (isLost(error)) this.#startAnew(error);
    else {
      this.#abort();
      this.#events.lost({ code: BROKEN, reason: reasonOf(error) }, suspects);
    }
  }

  /** The log does not go on from the cursor: the session begins again, on the same line. */
  #startAnew({ details }: HubError): void {
    this.#quiet();
    this.#welcome(details?.cursor as string, details?.reason as LostReason);
  }
}

/** The code that a socket gives for a line that broke. */
const BROKEN = 1006;

/** Whether the hub has answered; one that restarts is asked again on another line. */
const isAnswer = (error: unknown): error is HubError => error instanceof HubError && !isShuttingDown(error);

const isLost = (error: unknown): error is HubError => isRefusal(error, "cursor_lost");

/** Bounds a read that the hub may hold back for so long. */
const inTransit = <T>(signal: AbortSignal, waitMs = 0, read: (bounded: AbortSignal) => Promise<T>) =>
  withTimeout(waitMs + TRANSIT_MS, signal, read);

function reasonOf(error: unknown): string {
  const { message, cause } = error as Error;
  return cause instanceof Error && cause.message ? `${message}: ${cause.message}` : message;
}
