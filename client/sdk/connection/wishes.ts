/** What a session shall be sent, and whether what a hub was told of it still holds. */
import { EVENT_KINDS, type EventKind, type Subscribe } from "../../../shared/index.ts";

export interface Wishes extends Subscribe {
  readonly presence: boolean;
}

/** @returns nothing for all of them: then there is no need to say it. */
export function onlyKinds(wanted: ReadonlySet<EventKind>): { kinds?: EventKind[] } {
  return wanted.size === EVENT_KINDS.length ? {} : { kinds: EVENT_KINDS.filter((kind) => wanted.has(kind)) };
}

export const isSame = (told: Subscribe, { kinds, presence }: Wishes): boolean =>
  String(told.kinds) === String(kinds) && (told.presence === true) === presence;
