/**
 * A cursor says how far a reader has come in the log: the log's epoch and the seq of the last entry it has
 * passed. Opaque to clients, one string, safe in a URL and as an SSE id.
 */
import { HubError } from "./errors.ts";

export interface Cursor {
  epoch: string;
  seq: number;
}

/** Follows the name of a field. */
export const NO_CURSOR = "is not a cursor: use one that the hub gave, unchanged";

const CURSOR = /^([0-9a-f]{12})\.(0|[1-9][0-9]{0,14})$/;

export const formatCursor = (epoch: string, seq: number) => `${epoch}.${seq}`;

/**
 * @throws HubError `invalid_params` when the text is not a cursor of any log.
 */
export function parseCursor(text: string, field = "after"): Cursor {
  const match = CURSOR.exec(text);
  if (!match) {
    throw new HubError("invalid_params", `${field} ${NO_CURSOR}`, { field });
  }
  return { epoch: match[1] as string, seq: Number(match[2]) };
}

export const isCursor = (text: string) => CURSOR.test(text);
