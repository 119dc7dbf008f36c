/** How much of a turn of the event loop a client may have, in ordinary requests: the more compete for it, the less. */
import { LIMITS } from "../../../shared/limits.ts";
import type { OperationName } from "../../../shared/operations/index.ts";

/** To read so much of a frame takes about as long as an ordinary request. */
const BYTES_A_REQUEST = 4096;

/** What it takes to read a frame. */
export const toRead = (bytes: number): number => 1 + Math.floor(bytes / BYTES_A_REQUEST);

/** What takes the hub's thread longer than an ordinary request: a search in calendars. */
const LONG: ReadonlyMap<string, number> = new Map<OperationName, number>([["schedule_put", 128]]);

/** What it takes to serve a request. */
export const toServe = (method: string): number => LONG.get(method) ?? 1;

/** One client's: the largest frame that there may be. */
const OF_ONE = toRead(LIMITS.frame_bytes) + LIMITS.batch_requests;
const OF_ALL = 2 * OF_ONE;

export class FairShare {
  /** How many clients have more to be taken than a turn allows. */
  competing = 0;

  /** What each may have in this turn. */
  get requests(): number {
    return this.competing === 0 ? OF_ONE : Math.min(OF_ONE, Math.ceil(OF_ALL / this.competing));
  }
}
