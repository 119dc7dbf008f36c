/** What crosses between the hub's thread and the database's. */
import type { WireError } from "../../../shared/errors.ts";
import type { SqliteHost } from "./host.ts";

export type HostMethod =
  | "commit"
  | "get"
  | "attempts"
  | "receipts"
  | "list"
  | "listOn"
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

export type ThreadReply =
  | { id: number; ok: true; value: unknown }
  | { id: number; ok: false; error: WireError | { message: string } };

/** First word of the thread: the file is open, or why not. */
export type ThreadOpened =
  | {
      opened: true;
      position: SqliteHost["position"];
      instances: ReturnType<SqliteHost["instances"]>;
      wakeAt: number | null;
    }
  | { opened: false; message: string };
