/** What a hub tells its listeners. */
import {
  EVENT_KINDS,
  type Event,
  type EventKind,
  type LostReason,
  type Message,
  type Presence,
} from "../../../shared/index.ts";
import type { ConnectionState } from "../connection/connectionStates.ts";
import type { TransportName } from "../connection/transports/transport.ts";

/** One entry of the log, or a message that waited. */
export type HubEvent = Event & {
  /** It waited: it comes as `new`, from the hub's state and not from its log. */
  backlog?: true;
} & ({ kind: "new"; message: { task: string } } | { kind: Exclude<EventKind, "new"> });

/** The log does not go on from where we were: what was known before may be out of date. */
export interface Resync {
  reason: LostReason;
  /** Where events go on. */
  cursor: string;
}

export interface StateChange {
  state: ConnectionState;
  previous: ConnectionState;
  transport: TransportName | undefined;
  /** Why the line was lost, when it was. */
  reason?: string;
  /** When the next attempt begins, in milliseconds from now. */
  retry_in_ms?: number;
}

/** Every kind that `hub.on` takes, with what its handlers are given. */
export type HubEvents = { [K in EventKind]: HubEvent & { kind: K } } & {
  /** A message for somebody, whole. */
  new: HubEvent & { kind: "new"; message: Message };
  /** Any of the kinds above. */
  event: HubEvent;
  /** Who is there: everybody first, then those who changed. */
  presence: Presence;
  resync: Resync;
  state: StateChange;
  /** What went wrong in a handler, or in the background. */
  error: Error;
};

export const HUB_EVENT_KINDS: readonly (keyof HubEvents)[] = [
  ...EVENT_KINDS,
  "event",
  "presence",
  "resync",
  "state",
  "error",
];
