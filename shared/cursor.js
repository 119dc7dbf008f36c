/**
 * A cursor says how far a reader has come in the log: the log's epoch and the seq of the last entry it is
 * past. Opaque to clients, one string, safe in a URL and as an SSE id.
 */
import { HubError } from "./errors.js";

const CURSOR = /^([0-9a-f]{12})\.(0|[1-9][0-9]{0,14})$/;
export const formatCursor = (epoch, seq) => `${epoch}.${seq}`;
/**
 * @throws HubError `invalid_params` when the text is not a cursor of any log.
 */
export function parseCursor(text, field = "after") {
  const match = CURSOR.exec(text);
  if (!match) {
    throw new HubError("invalid_params", `${field} is not a cursor: use one that the hub gave, unchanged`, { field });
  }
  return { epoch: match[1], seq: Number(match[2]) };
}
export const isCursor = (text) => CURSOR.test(text);
