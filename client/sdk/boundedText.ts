import { fits } from "../../shared/index.ts";

/** No character takes more than six bytes of JSON. */
const CHAR_BYTES = 6;

/** A text as the hub takes it: with U+FFFD for half a character, and cut at `limit` bytes. */
export function bounded(text: string, limit: number): string {
  const whole = text.toWellFormed();
  return fits(whole, limit) ? whole : `${whole.slice(0, Math.floor(limit / CHAR_BYTES) - 1).toWellFormed()}…`;
}
