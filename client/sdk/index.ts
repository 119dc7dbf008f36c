/**
 * The client SDK of coordination-hub, for Node and browsers.
 *
 * `connect` gives a `Hub`; everything else here is what it takes, gives or throws.
 */
export type {
  About,
  ClientInfo,
  ErrorCode,
  Event,
  EventKind,
  Instance,
  Message,
  OperationName,
  Page,
  Params,
  Presence,
  Recipient,
  Result,
  Schedule,
  Status,
} from "../../shared/index.ts";
export { EVENT_KINDS, HubError, LIMITS, STATUSES } from "../../shared/index.ts";
export type { CallArguments, CallOptions, OperationMethods } from "./calls/methods.ts";
export type { Clock } from "./clock.ts";
export { connect } from "./connect.ts";
export type { ConnectionState } from "./connection/connectionStates.ts";
export type { Loss } from "./errors.ts";
export {
  CallTimeout,
  ClaimLost,
  ConnectionLost,
  GiveBack,
  HubClosed,
  HubRefused,
  HubUnreachable,
  TaskFailed,
} from "./errors.ts";
export type { HubEvent, HubEvents, Resync, StateChange } from "./events/events.ts";
export type { Handler } from "./events/listeners.ts";
export type { Hub } from "./hub.ts";
export type { ConnectOptions } from "./options.ts";
export { DEFAULT_URL, SDK_VERSION } from "./options.ts";
export type { Rung } from "./sent/rungs.ts";
export type { Task } from "./sent/task.ts";
export type { WaitOptions } from "./sent/waits.ts";
export type { TaskContext, TaskHandler } from "./work/attempt.ts";
export type { CloseOptions, Worker, WorkOptions } from "./work/worker.ts";
