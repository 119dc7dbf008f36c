import { fits, LIMITS } from "../shared/index.ts";

/** No character takes more than six bytes of JSON. */
const BEGINNING_CHARS = Math.floor(LIMITS.error_bytes / 6) - 1;

/**
 * What went wrong, as an update tells it. The output of a command that failed may be longer than an error can be: then
 * it is the result in full, and its beginning is the error.
 */
export function failureOf(text: string | undefined): { error?: string | undefined; result?: string } {
  if (typeof text !== "string" || fits(text, LIMITS.error_bytes)) return { error: text };
  return { error: `${text.slice(0, BEGINNING_CHARS).toWellFormed()}…`, result: text };
}
