/** When a batch has too much to say. */

import type { Refused } from "../outcomes.ts";

/**
 * What one batch may have to say, in characters. A few bytes can ask for megabytes, so what is asked beyond it is
 * refused, unchanged; it can be asked again at once.
 */
export const BATCH_CHARS = 8 * 2 ** 20;

export const OVERLOADED: Refused = {
  ok: false,
  error: { code: "too_many_requests", message: "The hub has too much to say at once: repeat in a moment" },
};
