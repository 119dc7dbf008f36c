/**
 * What carries calls and events. Nothing above this seam knows whether it is a socket or a long poll.
 *
 * A transport opens one *line* at a time and only when told to: `attempt` → `opened` → `greet` → `welcomed`; then
 * calls, answers and pages, until `lost`. It never comes back by itself.
 */
import type {
  Closing,
  Hello,
  LostReason,
  OperationName,
  Page,
  Presence,
  Subscribe,
  Welcome,
} from "../../../../shared/index.ts";

export type TransportName = "websocket" | "long_poll";

/** One call on its way. */
export interface Request {
  /** The client's own number, from 1. */
  readonly id: number;
  readonly operation: OperationName;
  readonly params: object;
}

/** Why a line was closed, by us or by the hub. */
export interface LineClose {
  /** A close code of the WebSocket; 1006 when the line broke. */
  readonly code: number;
  readonly reason: string;
}

/** For which calls in flight a loss counts: a broken socket carried all of them, a broken request only its own. */
export type Suspects = "all" | "none" | number;

/** Where a session begins, and what it allows. */
export interface SessionStart {
  readonly cursor: string;
  /** Whether the log goes on from the cursor of the hello without a gap. */
  readonly resumed: boolean;
  /** Why not. */
  readonly reason: LostReason | undefined;
  /** How much may be on its way unacknowledged. */
  readonly window: Welcome["window"];
  /** How many calls may be in flight at once. */
  readonly requestsInFlight: number;
}

export interface Transport {
  readonly name: TransportName;
  /** Whether so much is being sent that no more should be added just now. */
  readonly congested: boolean;
  /** Begins to open a line. Answered by `opened` or `lost`. */
  attempt(): void;
  /** Says who is there on an opened line. Answered by `welcomed`, `refused` or `lost`. */
  greet(hello: Hello): void;
  /** Replaces the subscription that came with `hello`. Answered by `subscribed`. */
  subscribe(subscription: Subscribe): void;
  /** Sends calls, and after them how far events were handed over. */
  send(requests: readonly Request[], ack: string | undefined): void;
  /**
   * Whether events are wanted: a transport that has to ask for them asks only then. One that the hub sees only while it
   * asks shows itself as long as tasks are held, too.
   */
  listen(wanted: boolean, holdsTasks: boolean): void;
  /** Closes the line, if there is one, and reports nothing more of it. @returns when it is down. */
  close(why: LineClose): Promise<void>;
}

/** What a transport reports. */
export interface TransportEvents {
  opened(): void;
  /** The hub knows who we are; on a line that serves already: it begins anew. */
  welcomed(session: SessionStart): void;
  /** What was subscribed to comes past this cursor. */
  subscribed(cursor: string): void;
  /** The hub did not accept the `hello`. */
  refused(error: Error): void;
  lost(why: LineClose, suspects?: Suspects): void;
  answered(id: number, result: unknown): void;
  failed(id: number, error: Error): void;
  /** @param bytes roughly how large it was on the wire. */
  page(page: Page, bytes: number): void;
  presence(change: Presence): void;
  /** Too much changed to be sent. */
  presenceChanged(): void;
  /** The hub will close the line soon. */
  closing(notice: Closing): void;
}
