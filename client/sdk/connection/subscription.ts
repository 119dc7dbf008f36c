/** What a session subscribes to, and whether that is what the hub was told last. */
import { EVENT_KINDS, type EventKind, type Subscribe } from "../../../shared/index.ts";

export interface Subscription extends Subscribe {
  readonly presence: boolean;
}

/** @returns nothing for all of them: then there is no need to say it. */
export function onlyKinds(wanted: ReadonlySet<EventKind>): { kinds?: EventKind[] } {
  return wanted.size === EVENT_KINDS.length ? {} : { kinds: EVENT_KINDS.filter((kind) => wanted.has(kind)) };
}

export const isSame = (told: Subscribe, { kinds, presence }: Subscription): boolean =>
  String(told.kinds) === String(kinds) && (told.presence === true) === presence;
