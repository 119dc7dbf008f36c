import { LIMITS } from "../../shared/limits.ts";
import type { LogEntry } from "../store/store.ts";
import { type Kinds, ofKinds } from "./kinds.ts";
import { type LogPage, makePage } from "./page.ts";

/** The pages of one commit: readers with the same view, wishes and cursor share one. */
export class PageCache {
  readonly #epoch: string;
  readonly #upTo: number;
  readonly #wanted = new Map<readonly LogEntry[], Map<Kinds, readonly LogEntry[]>>();
  readonly #views = new Map<readonly LogEntry[], { fits: boolean; pages: Map<number, LogPage> }>();

  constructor(epoch: string, upTo: number) {
    this.#epoch = epoch;
    this.#upTo = upTo;
  }

  /** The part of what a view shows that is sent to readers who want these kinds. */
  wanted(kinds: Kinds, visible: readonly LogEntry[]): readonly LogEntry[] {
    const known = this.#wanted.get(visible)?.get(kinds);
    if (known) return known;
    const wanted = ofKinds(kinds, visible);
    this.#wanted.set(visible, (this.#wanted.get(visible) ?? new Map()).set(kinds, wanted));
    return wanted;
  }

  /** The page past `after`; undefined when the entries are too many bytes for one. */
  page(after: number, entries: readonly LogEntry[]): LogPage | undefined {
    const view = this.#view(entries);
    if (!view.fits) return undefined;
    const known = view.pages.get(after);
    if (known) return known;
    const page = makePage(this.#epoch, after, this.#upTo, entries);
    view.pages.set(after, page);
    return page;
  }

  #view(entries: readonly LogEntry[]) {
    const known = this.#views.get(entries);
    if (known) return known;
    const view = { fits: entries.length === 1 || fitPage(entries), pages: new Map<number, LogPage>() };
    this.#views.set(entries, view);
    return view;
  }
}

/** Bytes are counted only where characters do not say enough. */
function fitPage(entries: readonly LogEntry[]): boolean {
  const chars = entries.reduce((sum, { json }) => sum + json.length, 0);
  if (chars * BYTES_A_CHAR <= LIMITS.page_bytes) return true;
  return entries.reduce((sum, { json }) => sum + Buffer.byteLength(json), 0) <= LIMITS.page_bytes;
}

/** At most, in UTF-8. */
const BYTES_A_CHAR = 3;
