/** What crosses between the hub's thread and the database's. */
import { HubError, type WireError } from "../../../../shared/errors.ts";
import type { Moment } from "../../../clock.ts";
import type { Opened } from "../../store.ts";
import type { SqliteReads } from "../tables/sqliteReads.ts";
import type { FlatResult } from "./commitWire.ts";

/** What a host can be called for. A commit crosses as texts. @param isBusy whether the thread polls for the next call. */
export interface HostCalls extends SqliteReads {
  commit(commands: string, at: Moment, isBusy: boolean): FlatResult;
  close(): void;
}

/** One call. */
export type ThreadRequest = {
  [M in keyof HostCalls]: { id: number; method: M; args: Parameters<HostCalls[M]> };
}[keyof HostCalls];

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

/** First message of the thread: the file is open, or why not. */
export type ThreadOpened = ({ opened: true } & Opened) | { opened: false; message: string };
