/** Who acts on what: the rest is only good to know. */
import type { EventKind } from "../../shared/event.ts";
import type { LogEntry } from "../store/store.ts";

/** There is work, or none any more. */
const BY_RECIPIENT: ReadonlySet<EventKind> = new Set(["new", "ready", "released", "requeued", "cancelled", "deleted"]);
/** What was waited for is over. */
const BY_SENDER: ReadonlySet<EventKind> = new Set(["completed", "failed", "cancelled", "deleted"]);

/**
 * Whether a reader is to act on one of these entries, which are in its own view.
 *
 * @param own who reads, by name; null: an observer, who acts on nothing.
 */
export const isActedOn = (entries: readonly LogEntry[], own: string | null): boolean =>
  own !== null &&
  entries.some(
    ({ kind, from, to }) =>
      (from === own && BY_SENDER.has(kind)) || ((from !== own || to === own) && BY_RECIPIENT.has(kind)),
  );
