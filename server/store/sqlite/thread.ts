/** What crosses between the hub's thread and the database's. */
import { HubError, type WireError } from "../../../shared/errors.ts";
import type { SqliteHost } from "./host.ts";

export type HostMethod =
  | "commit"
  | "get"
  | "attempts"
  | "receipts"
  | "listAtOnce"
  | "list"
  | "listOn"
  | "endList"
  | "log"
  | "counts"
  | "workload"
  | "schedule"
  | "schedules"
  | "timetable"
  | "template"
  | "templates";

/** One call of a host's method. */
export interface ThreadRequest {
  id: number;
  method: HostMethod | "close";
  args: unknown[];
}

export type ThreadReply = { id: number; ok: true; value: unknown } | { id: number; ok: false; error: ThreadFailure };

/** An error, as it crosses: one of the contract, or any other. */
export type ThreadFailure = WireError | { message: string; stack: string | undefined };

export function toFailure(error: unknown): ThreadFailure {
  if (error instanceof HubError) return error.toWire();
  return error instanceof Error
    ? { message: error.message, stack: error.stack }
    : { message: String(error), stack: undefined };
}

export const fromFailure = (failure: ThreadFailure): Error =>
  "code" in failure
    ? HubError.fromWire(failure)
    : Object.assign(new Error(failure.message), failure.stack && { stack: failure.stack });

/** First word of the thread: the file is open, or why not. */
export type ThreadOpened =
  | {
      opened: true;
      position: SqliteHost["position"];
      instances: ReturnType<SqliteHost["instances"]>;
    }
  | { opened: false; message: string };
