/** When a batch has too much to say. */

import type { Refused } from "../outcomes.ts";
import type { StoreCommand } from "../storeCommands.ts";

/**
 * What one batch may have to say, in characters. A few bytes can ask for megabytes, so what is asked beyond it is
 * refused, unchanged; it can be asked again at once.
 */
export const BATCH_CHARS = 8 * 2 ** 20;

/** What is asked, and so can be refused; the rest has happened. */
export const ASKED: ReadonlySet<StoreCommand["op"]> = new Set([
  "send",
  "change",
  "claim_next",
  "delete",
  "schedule_put",
  "template_send",
  "template_put",
  "template_delete",
]);

export const OVERLOADED: Refused = {
  ok: false,
  error: { code: "too_many_requests", message: "The hub has too much to say at once: repeat in a moment" },
};
