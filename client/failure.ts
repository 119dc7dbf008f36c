import { LIMITS } from "../shared/index.ts";
import { bounded } from "./sdk/boundedText.ts";

/**
 * What went wrong, as an update tells it. The output of a command that failed may be longer than an error can be: then
 * it is the result, in full where that fits, and its beginning is the error.
 */
export function failureOf(text: string | undefined): { error?: string | undefined; result?: string } {
  if (typeof text !== "string") return { error: text };
  const [error, result] = [bounded(text, LIMITS.error_bytes), bounded(text, LIMITS.result_bytes)];
  return error === result ? { error } : { error, result };
}
