/** Which kinds of event a session wants: a set in one number, so that sessions that want the same share a page. */
import type { EventKind } from "../../shared/event.ts";
import { EVENT_KINDS } from "../../shared/vocabulary.ts";
import type { LogEntry } from "../store/store.ts";

export type Kinds = number;

const BITS = Object.fromEntries(EVENT_KINDS.map((kind, i) => [kind, 1 << i])) as Record<EventKind, Kinds>;

const ALL: Kinds = (1 << EVENT_KINDS.length) - 1;

/** @param wanted left out: all. */
export const kindsOf = (wanted?: readonly EventKind[]): Kinds =>
  wanted ? wanted.reduce((kinds, kind) => kinds | BITS[kind], 0) : ALL;

/** The entries of those kinds; the same array where that is all of them. */
export function ofKinds(kinds: Kinds, entries: readonly LogEntry[]): readonly LogEntry[] {
  if (kinds === ALL) return entries;
  return entries.filter(({ kind }) => (kinds & BITS[kind]) !== 0);
}
